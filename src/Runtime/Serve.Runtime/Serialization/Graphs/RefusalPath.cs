using System.Collections;
using System.Reflection;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Path from a value to the member that cannot be sent, for the error message. Found by a second walk, after the value has been rejected.</summary>
/// <param name="Members">Members and indexes, such as <c>Lines[1].Handler</c>; empty for the value itself.</param>
/// <param name="Owner">Field that holds the rejected value; null if it is an item of a collection.</param>
internal sealed record RefusalPath(string Members, FieldInfo? Owner)
{
    private const int MaximumObjects = 100_000;

    /// <summary>Finds the shortest path; null if there is none, for example because a query created the value.</summary>
    public static RefusalPath? Find(object root, UnserializableValueException refused)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var queue = new Queue<(object? Value, RefusalPath Path)>([(root, new("", null))]);
        while (queue.TryDequeue(out var next) && seen.Count < MaximumObjects)
        {
            if (next.Value is not { } value)
                continue;
            if (ReferenceEquals(value, refused.Value) || value.GetType() == refused.Type)
                return next.Path;
            if (value.GetType().IsPrimitive || value is string || (!value.GetType().IsValueType && !seen.Add(value)))
                continue;
            foreach (var part in Parts(value, next.Path.Members))
                queue.Enqueue(part);
        }

        return null;
    }

    private static IEnumerable<(object? Value, RefusalPath Path)> Parts(object value, string path)
    {
        var type = value.GetType();
        var isPlatform = type.IsArray || GraphTypeRules.IsPlatform(type);
        if (isPlatform && value is IDictionary dictionary)
            return dictionary.Keys.Cast<object>().SelectMany(key => new[] { (dictionary[key], new RefusalPath($"{path}[{key}]", null)), (key, new(Join(path, nameof(dictionary.Keys)), null)) }).Concat(Comparer(value, path));
        if (isPlatform && value is IEnumerable items)
            return items.Cast<object?>().Select((item, index) => (item, new RefusalPath($"{path}[{index}]", null))).Concat(Comparer(value, path));
        var fields = Fields(type).Where(field => !SerializedFields.IsExcluded(field) && !field.FieldType.IsPointer).Select(field => (field.GetValue(value), new RefusalPath(Join(path, NameOf(field)), field)));
        return value is Exception exception ? fields.Concat([(exception.Data, new RefusalPath(Join(path, nameof(Exception.Data)), null))]) : fields;
    }

    private static IEnumerable<(object? Value, RefusalPath Path)> Comparer(object collection, string path) =>
        collection.GetType().GetProperty("Comparer") is { } comparer ? [(comparer.GetValue(collection), new(Join(path, "Comparer"), null))] : [];

    private static IEnumerable<FieldInfo> Fields(Type type)
    {
        for (var level = type; level is not null && level != typeof(Exception); level = level.BaseType)
        {
            foreach (var field in level.GetFields(SerializedFields.Own))
                yield return field;
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    // The field of a property or of a primary constructor's parameter is shown by its name.
    private static string NameOf(FieldInfo field) => field.Name.StartsWith('<') && field.Name.IndexOf('>', StringComparison.Ordinal) is > 1 and var end ? field.Name[1..end] : field.Name;
}
