using System.Collections.Concurrent;
using System.Collections.Specialized;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Serve.Runtime.Observation;

/// <summary>
/// Filter of a state request's query: any field by name (<c>?state=FAILED&amp;name=Demo.Add</c>; a value prefixed with <c>!</c> is excluded), Ray's
/// <c>filter_keys</c>, <c>filter_predicates</c> and <c>filter_values</c>, and <c>limit</c>. Immutable.
/// </summary>
internal sealed class StateQueryFilter
{
    public const int DefaultLimit = 100;
    public const int MaxLimit = 10_000;
    private static readonly string[] Settings = ["limit", "detail", "timeout", "exclude_driver", "filter_keys", "filter_predicates", "filter_values"];
    private static readonly ConcurrentDictionary<Type, IReadOnlyDictionary<string, PropertyInfo>> FieldsByType = new();
    private readonly List<(string Key, bool IsEqual, string Value)> _conditions = [];
    private readonly int _limit;

    /// <exception cref="DefinitionException">The query is invalid.</exception>
    public StateQueryFilter(NameValueCollection query)
    {
        _limit = ReadLimit(query["limit"]);
        foreach (var key in query.AllKeys.OfType<string>().Except(Settings))
            _conditions.AddRange(query.GetValues(key)!.Select(value => (key, !value.StartsWith('!'), value.TrimStart('!'))));
        var (keys, predicates, wanted) = (query.GetValues("filter_keys") ?? [], query.GetValues("filter_predicates") ?? [], query.GetValues("filter_values") ?? []);
        if (keys.Length != wanted.Length || (predicates.Length > 0 && predicates.Length != keys.Length))
            throw new DefinitionException("filter_keys, filter_predicates and filter_values must have the same number of values.");
        for (var index = 0; index < keys.Length; index++)
            _conditions.Add((keys[index], predicates.Length == 0 || predicates[index] != "!=", wanted[index]));
    }

    /// <summary>Filters items.</summary>
    /// <exception cref="DefinitionException">The items do not have a field of the query.</exception>
    public StateList<T> Apply<T>(IReadOnlyList<T> items)
    {
        var fields = FieldsOf(typeof(T));
        foreach (var (key, _, _) in _conditions)
        {
            if (!fields.ContainsKey(key))
                throw new DefinitionException($"Unknown filter field '{key}'. Valid fields: {string.Join(", ", fields.Keys.Order(StringComparer.Ordinal))}.");
        }

        T[] left = [.. items.Where(item => _conditions.TrueForAll(condition => Matches(fields[condition.Key].GetValue(item), condition.Value) == condition.IsEqual))];
        return new(items.Count, left.Length, Math.Min(_limit, left.Length), [.. left.TakeLast(_limit)]);
    }

    private static int ReadLimit(string? text) => string.IsNullOrEmpty(text) ? DefaultLimit
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= MaxLimit ? number
        : throw new DefinitionException($"limit must be between 1 and {MaxLimit}, but was '{text}'.");

    private static IReadOnlyDictionary<string, PropertyInfo> FieldsOf(Type type) => FieldsByType.GetOrAdd(type, static of => of
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(property => property.PropertyType == typeof(string) || Nullable.GetUnderlyingType(property.PropertyType) is not null || property.PropertyType.IsPrimitive || property.PropertyType.IsEnum)
        .ToDictionary(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name), StringComparer.OrdinalIgnoreCase));

    private static bool Matches(object? value, string wanted)
    {
        var text = value is Enum phase ? JsonNamingPolicy.SnakeCaseUpper.ConvertName(phase.ToString()) : Convert.ToString(value, CultureInfo.InvariantCulture);
        return string.Equals(text ?? "", wanted, StringComparison.OrdinalIgnoreCase);
    }
}
