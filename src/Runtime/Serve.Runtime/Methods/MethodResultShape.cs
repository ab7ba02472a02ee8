using System.Reflection;

namespace Serve.Runtime.Methods;

/// <summary>How what a method returns becomes its result: tasks are awaited, streams are read item by item.</summary>
internal static class MethodResultShape
{
    private static readonly MethodInfo TaskResult = Method(nameof(FromTaskAsync));
    private static readonly MethodInfo ValueTaskResult = Method(nameof(FromValueTaskAsync));
    private static readonly MethodInfo StreamItems = Method(nameof(FromStreamAsync));

    /// <summary>The way to a declared return type's result, and that result's type; <see cref="void"/> when there is none.</summary>
    public static (Func<object?, ValueTask<object?>> Unwrap, Type Result) Describe(Type declared)
    {
        if (declared == typeof(ValueTask))
            return (static value => FromTaskAsync(((ValueTask)value!).AsTask()), typeof(void));
        if (declared.IsGenericType && declared.GetGenericTypeDefinition() == typeof(ValueTask<>))
            return (Bind<Func<object?, ValueTask<object?>>>(ValueTaskResult, declared), declared.GetGenericArguments()[0]);
        if (TaskOf(declared) is { } task)
            return (Bind<Func<object?, ValueTask<object?>>>(TaskResult, task), task.GetGenericArguments()[0]);
        if (declared.IsAssignableTo(typeof(Task)))
            return (static value => FromTaskAsync((Task)value!), typeof(void));
        return (static value => new ValueTask<object?>(value), declared);
    }

    /// <summary>Reads a result of this type as a stream of boxed items; null when it is none.</summary>
    public static Func<object, IAsyncEnumerable<object?>>? GetItemReader(Type result)
    {
        var stream = result.GetInterfaces().Prepend(result)
            .FirstOrDefault(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>));
        return stream is null ? null : Bind<Func<object, IAsyncEnumerable<object?>>>(StreamItems, stream);
    }

    private static Type? TaskOf(Type type)
    {
        for (var candidate = type; candidate is not null; candidate = candidate.BaseType)
        {
            if (candidate.IsGenericType && candidate.GetGenericTypeDefinition() == typeof(Task<>))
                return candidate;
        }

        return null;
    }

    private static TDelegate Bind<TDelegate>(MethodInfo method, Type generic)
        where TDelegate : Delegate => method.MakeGenericMethod(generic.GetGenericArguments()).CreateDelegate<TDelegate>();

    private static MethodInfo Method(string name) =>
        typeof(MethodResultShape).GetMethods(BindingFlags.NonPublic | BindingFlags.Static).Single(method => method.Name == name && method.IsGenericMethod);

    private static async ValueTask<object?> FromTaskAsync(Task task)
    {
        await task.ConfigureAwait(false);
        return null;
    }

    private static async ValueTask<object?> FromTaskAsync<T>(object? task) => await ((Task<T>)task!).ConfigureAwait(false);

    private static async ValueTask<object?> FromValueTaskAsync<T>(object? task) => await ((ValueTask<T>)task!).ConfigureAwait(false);

    private static BoxedItemStream<T> FromStreamAsync<T>(object stream) => new BoxedItemStream<T>((IAsyncEnumerable<T>)stream);
}
