using System.Collections;
using System.Net;
using System.Numerics;
using System.Reflection;

namespace Serve.Runtime.TestWorker.Values;

/// <summary>Compares two values in every field, element, comparer and kind.</summary>
public static class ValueComparison
{
    private const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>Returns the first difference; null if there is none.</summary>
    public static string? Find(object? expected, object? actual)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var pairs = new Stack<(object? Expected, object? Actual, string Path)>([(expected, actual, "")]);
        while (pairs.TryPop(out var pair))
        {
            var (one, other, path) = (pair.Expected, pair.Actual, pair.Path.Length > 200 ? "…" : pair.Path);
            if (ReferenceEquals(one, other))
                continue;
            if (one is null || other is null)
                return $"{path}: {one ?? "null"} -> {other ?? "null"}";
            if (one.GetType() != other.GetType() && one is not (Type or IPAddress) && one.GetType().Namespace != "System.Collections.Frozen")
                return $"{path}: {one.GetType()} -> {other.GetType()}";
            if (!one.GetType().IsValueType && !seen.Add(one))
                continue;
            if (IsLeaf(one))
            {
                if (!AreEqualLeaves(one, other))
                    return $"{path}: {one} -> {other}";
                continue;
            }

            if (ComparerDifference(one, other) is { } comparers)
                return $"{path}: {comparers}";
            if (AddItems(one, other, path, pairs) is { } items)
                return $"{path}: {items}";
            AddFields(one, other, path, pairs);
        }

        return null;
    }

    private static bool IsLeaf(object value) =>
        value is DateTime or DateTimeOffset or double or decimal or string or Uri or Version or Type or IPAddress or IPEndPoint or BigInteger || value.GetType().IsPrimitive || value.GetType().IsEnum;

    private static bool AreEqualLeaves(object one, object other) => one switch
    {
        DateTime time => time == (DateTime)other && time.Kind == ((DateTime)other).Kind,
        DateTimeOffset time => time.EqualsExact((DateTimeOffset)other),
        double number => BitConverter.DoubleToInt64Bits(number) == BitConverter.DoubleToInt64Bits((double)other),
        decimal number => decimal.GetBits(number).SequenceEqual(decimal.GetBits((decimal)other)),
        Uri address => address.OriginalString == ((Uri)other).OriginalString,
        _ => one.Equals(other),
    };

    private static string? ComparerDifference(object one, object other)
    {
        foreach (var name in (string[])["Comparer", "KeyComparer"])
        {
            if (IsPlatform(one.GetType()) && one.GetType().GetProperty(name) is { } property && property.GetValue(one) is { } comparer && comparer.GetType() != property.GetValue(other)?.GetType())
                return $"comparer {comparer.GetType()} -> {property.GetValue(other)?.GetType()}";
        }

        return null;
    }

    private static string? AddItems(object one, object other, string path, Stack<(object? Expected, object? Actual, string Path)> pairs)
    {
        if (one is not IEnumerable items || !(IsPlatform(one.GetType()) || one is IList))
            return null;
        if (one is Array { Rank: > 1 } array && (array.Rank != ((Array)other).Rank || Enumerable.Range(0, array.Rank).Any(dimension => array.GetLength(dimension) != ((Array)other).GetLength(dimension))))
            return "other dimensions";
        object?[] expected = [.. items.Cast<object?>()];
        object?[] actual = [.. ((IEnumerable)other).Cast<object?>()];
        if (expected.Length != actual.Length)
            return $"{expected.Length} items -> {actual.Length}";
        for (var index = 0; index < expected.Length; index++)
            pairs.Push((expected[index], actual[index], $"{path}[{index}]"));
        return null;
    }

    private static void AddFields(object one, object other, string path, Stack<(object? Expected, object? Actual, string Path)> pairs)
    {
        var isPlatform = IsPlatform(one.GetType());
        if (one is IEnumerable && isPlatform)
            return;
        for (var level = one.GetType(); level is not null && level != typeof(object) && (!isPlatform || level.IsValueType || level.Name.StartsWith("Tuple", StringComparison.Ordinal)); level = level.BaseType)
        {
            foreach (var field in level.GetFields(Own))
            {
                if (!field.FieldType.IsPointer && level.Namespace?.StartsWith("System.Collections", StringComparison.Ordinal) != true && !typeof(Delegate).IsAssignableFrom(field.FieldType))
                    pairs.Push((field.GetValue(one), field.GetValue(other), $"{path}.{field.Name}"));
            }
        }
    }

    private static bool IsPlatform(Type type) => type.IsArray || type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true;
}
