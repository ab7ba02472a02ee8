using System.Reflection;

namespace Serve.Runtime.Methods;

/// <summary>Converts a method's return value to its result: tasks are awaited, streams are read item by item.</summary>
internal static class MethodResultShape
{
    private static readonly MethodInfo TaskResult = Method(nameof(FromTaskAsync));
    private static readonly MethodInfo ValueTaskResult = Method(nameof(FromValueTaskAsync));
    private static readonly MethodInfo StreamItems = Method(nameof(FromStreamAsync));

    /// <summary>Returns the conversion for a declared return type and the type of the result; <see cref="void"/> if there is none.</summary>
    public static (Func<object?, IAsyncCodeOwner?, ValueTask<object?>> Unwrap, Type Result) Describe(Type declared)
    {
        if (declared == typeof(ValueTask))
            return (static (value, owner) => FromTaskAsync(((ValueTask)value!).AsTask(), owner), typeof(void));
        if (declared.IsGenericType && declared.GetGenericTypeDefinition() == typeof(ValueTask<>))
            return (Bind<Func<object?, IAsyncCodeOwner?, ValueTask<object?>>>(ValueTaskResult, declared), declared.GetGenericArguments()[0]);
        if (TaskOf(declared) is { } task)
            return (Bind<Func<object?, IAsyncCodeOwner?, ValueTask<object?>>>(TaskResult, task), task.GetGenericArguments()[0]);
        if (declared.IsAssignableTo(typeof(Task)))
            return (static (value, owner) => FromTaskAsync((Task)value!, owner), typeof(void));
        return (static (value, _) => new ValueTask<object?>(value), declared);
    }

    /// <summary>Returns the conversion of a result to a stream of boxed items; null if the type is not a stream.</summary>
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

    private static async ValueTask<object?> FromTaskAsync(Task task, IAsyncCodeOwner? owner)
    {
        if (!task.IsCompleted)
            owner?.SetAsyncCode(task);
        await task.ConfigureAwait(false);
        return null;
    }

    private static async ValueTask<object?> FromTaskAsync<T>(object? value, IAsyncCodeOwner? owner)
    {
        var task = (Task<T>)value!;
        if (!task.IsCompleted)
            owner?.SetAsyncCode(task);
        return await task.ConfigureAwait(false);
    }

    private static ValueTask<object?> FromValueTaskAsync<T>(object? value, IAsyncCodeOwner? owner)
    {
        var task = (ValueTask<T>)value!;
        return task.IsCompletedSuccessfully ? new(task.Result) : FromTaskAsync<T>(task.AsTask(), owner);
    }

    private static BoxedItemStream<T> FromStreamAsync<T>(object stream) => new BoxedItemStream<T>((IAsyncEnumerable<T>)stream);
}

/// <summary>Context of code that may continue asynchronously after its method has returned.</summary>
public interface IAsyncCodeOwner
{
    /// <summary>Records the task of the async method.</summary>
    void SetAsyncCode(Task code);
}
