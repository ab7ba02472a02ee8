using System.Collections.Concurrent;
using System.Collections.Specialized;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Serve.Runtime.Observation;

/// <summary>
/// Filter of a state request's query: any field by name (<c>?state=FAILED&amp;name=Demo.Add</c>; a value prefixed with <c>!</c> is excluded), Ray's
/// <c>filter_keys</c>, <c>filter_predicates</c> and <c>filter_values</c>, <c>q</c> for a part of any text, and <c>limit</c>. With <c>sort=FIELD</c>, <c>sort=-FIELD</c> or <c>offset</c> the
/// result is a page of the sorted list, otherwise its last items. Immutable.
/// </summary>
internal sealed class StateQueryFilter
{
    public const int DefaultLimit = 100;
    public const int MaxLimit = 10_000;
    private static readonly string[] Settings = ["limit", "offset", "sort", "q", "detail", "timeout", "exclude_driver", "filter_keys", "filter_predicates", "filter_values"];
    private static readonly ConcurrentDictionary<Type, IReadOnlyDictionary<string, PropertyInfo>> FieldsByType = new();
    private readonly List<(string Key, bool IsEqual, string Value)> _conditions = [];
    private readonly int _limit;
    private readonly int? _offset;
    private readonly string? _sort;
    private readonly string? _text;

    /// <exception cref="DefinitionException">The query is invalid.</exception>
    public StateQueryFilter(NameValueCollection query)
    {
        _limit = ReadLimit(query["limit"]);
        _offset = ReadOffset(query["offset"]);
        (_sort, _text) = (NullIfEmpty(query["sort"]), NullIfEmpty(query["q"]));
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
        foreach (var key in _conditions.Select(condition => condition.Key).Concat(_sort is null ? [] : [_sort.TrimStart('-')]))
        {
            if (!fields.ContainsKey(key))
                throw new DefinitionException($"Unknown filter field '{key}'. Valid fields: {string.Join(", ", fields.Keys.Order(StringComparer.Ordinal))}.");
        }

        PropertyInfo[] texts = _text is null ? [] : [.. fields.Values.Where(field => field.PropertyType == typeof(string))];
        T[] left = [.. items.Where(item => _conditions.TrueForAll(condition => Matches(fields[condition.Key].GetValue(item), condition.Value) == condition.IsEqual)
            && (_text is null || Array.Exists(texts, field => ((string?)field.GetValue(item))?.Contains(_text, StringComparison.OrdinalIgnoreCase) is true)))];
        T[] page = [.. Page(left, fields)];
        return new(items.Count, left.Length, page.Length, [.. page]);
    }

    // Ordering followed by Skip and Take selects the page without sorting the rest.
    private IEnumerable<T> Page<T>(T[] items, IReadOnlyDictionary<string, PropertyInfo> fields)
    {
        if (_sort is null)
            return _offset is { } start ? items.Skip(start).Take(_limit) : items.TakeLast(_limit);
        var field = fields[_sort.TrimStart('-')];
        var comparer = Comparer<object?>.Create(static (one, other) => one is string text && other is string second ? string.CompareOrdinal(text, second) : Comparer<object>.Default.Compare(one, other));
        return (_sort.StartsWith('-') ? items.OrderByDescending(item => field.GetValue(item), comparer) : items.OrderBy(item => field.GetValue(item), comparer)).Skip(_offset ?? 0).Take(_limit);
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static int? ReadOffset(string? text) => string.IsNullOrEmpty(text) ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new DefinitionException($"offset must be an integer of at least 0, but was '{text}'.");

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
