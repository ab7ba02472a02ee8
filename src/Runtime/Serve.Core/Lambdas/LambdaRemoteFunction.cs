using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>A lambda, or a method without <see cref="RemoteAttribute"/>, as a remote function: looked into once for each place in the source. Immutable.</summary>
internal sealed class LambdaRemoteFunction : RemoteFunction
{
    // Weak in the method, so that a collectible assembly can unload.
    private static readonly ConditionalWeakTable<MethodInfo, LambdaRemoteFunction> Known = [];

    private LambdaRemoteFunction(MethodInfo method, string name, bool isAsync, string? whyItStays)
        : base(method.DeclaringType ?? typeof(Delegate), MethodOf(method), isAsync, method.GetCustomAttribute<RemoteAttribute>() ?? new(), TakesTokenIn(method), name) =>
        TransferObstacle = whyItStays;

    /// <summary>Why it cannot run in another process; null when it can.</summary>
    public string? TransferObstacle { get; }

    public static LambdaRemoteFunction Of(Delegate work, bool isAsync)
    {
        var method = work.Method;
        if (!work.HasSingleTarget)
            return new(method, LambdaNameParser.DisplayNameOf(method), isAsync, "it is several delegates in one");
        if (method.IsStatic && work.Target is not null)
            return new(method, LambdaNameParser.DisplayNameOf(method), isAsync, $"it is bound to its first argument, a {work.Target.GetType()}");

        // What it captures is in its method's class: it says the same each time.
        return Known.TryGetValue(method, out var known) ? known : Known.GetValue(method, method => new(method, LambdaNameParser.DisplayNameOf(method), isAsync, LambdaNameParser.FindTransferObstacle(method)));
    }

    private static bool TakesTokenIn(MethodInfo method) => Array.Exists(method.GetParameters(), static parameter => parameter.ParameterType == typeof(CancellationToken));

    private static string MethodOf(MethodInfo method) =>
        method.DeclaringType is not { } type || type.GetMember(method.Name, BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Length == 1
            ? method.Name
            : method.ToString()!;
}
