using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Follows what goes on when a <see cref="Task"/> completes, as debuggers do: the base library keeps the names of the fields for them (SOS,
/// <c>dumpasync</c>). Where something else is found, nothing is said. Holds no state.
/// </summary>
internal static class Continuations
{
    // Tasks of methods that await one thing at a time; what completes with all of its parts; the last part of a task in a task; a ref as a task.
    private static readonly string[] Necessary = ["AsyncStateMachineBox`1", "DebugFinalizableAsyncStateMachineBox`1", "WhenAllPromise", "WhenAllPromise`1", "UnwrapPromise`1", "ValueTaskSourceAsTask"];

    private static readonly FieldInfo? Next = typeof(Task).GetField("m_continuationObject", BindingFlags.Instance | BindingFlags.NonPublic);
    private static readonly ConditionalWeakTable<Type, FieldInfo?> Actions = [];

    /// <summary>Whether one task cannot complete before another one has.</summary>
    /// <param name="awaited">The other one.</param>
    /// <param name="whole">The one.</param>
    public static bool Lead(Task awaited, Task whole) => Lead((object)awaited, whole, isFirst: true);

    private static bool Lead(object? from, Task whole, bool isFirst)
    {
        while (true)
        {
            switch (from)
            {
                case Task task when isFirst || Array.IndexOf(Necessary, task.GetType().Name) >= 0:
                    if (task == whole)
                        return true;
                    from = task.IsCompleted ? null : Next?.GetValue(task);
                    break;
                case Delegate action:
                    from = action.Target;
                    break;
                case IList several:
                    return LeadAny(several, whole);
                case null or Task:
                    return false;
                default:
                    from = Actions.GetValue(from.GetType(), ActionOf)?.GetValue(from);
                    break;
            }

            isFirst = false;
        }
    }

    // One that waits for it is enough: the list is locked by whoever writes it.
    private static bool LeadAny(IList several, Task whole)
    {
        object?[] all;
        lock (several)
            all = [.. several.Cast<object?>()];
        return Array.Exists(all, one => Lead(one, whole, isFirst: false));
    }

    // Code that goes on in a synchronization context or a task scheduler.
    private static FieldInfo? ActionOf(Type continuation)
    {
        var type = continuation;
        while (type is not null && type.Name != "AwaitTaskContinuation")
            type = type.BaseType;
        return type?.GetField("m_action", BindingFlags.Instance | BindingFlags.NonPublic);
    }
}
