using System.Reflection;
using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>A lambda, or a method without <see cref="RemoteAttribute"/>, as a remote function. Immutable, and created once per method.</summary>
internal sealed class LambdaRemoteFunction : RemoteFunction
{
    // Weak in the method, so that a collectible assembly can unload.
    private static readonly ConditionalWeakTable<MethodInfo, LambdaRemoteFunction> ByMethod = [];

    private LambdaRemoteFunction(MethodInfo method, string name, bool isAsync, string? transferObstacle)
        : base(method.DeclaringType ?? typeof(Delegate), MethodOf(method), isAsync, method.GetCustomAttribute<RemoteAttribute>() ?? new(), TakesTokenIn(method), name) =>
        TransferObstacle = transferObstacle;

    /// <summary>Gets why the lambda cannot run in another process; null if it can.</summary>
    public string? TransferObstacle { get; }

    /// <summary>Returns the function of a lambda that is about to be submitted.</summary>
    /// <exception cref="NotSerializableException">The lambda must run in a worker process but cannot be sent there.</exception>
    public static LambdaRemoteFunction For(Cluster cluster, Delegate work, bool isAsync, TaskOptions? options)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(work);
        var function = Of(work, isAsync);
        if (function.TransferObstacle is { } obstacle && cluster.RunsInWorkers(options is null or { Isolation: Isolation.Default } ? function.Defaults.Isolation : options.Isolation))
        {
            throw new NotSerializableException(
                $"The {function.Name} must run in a worker process, but {obstacle}. Pass its inputs as arguments: ray.Run(static x => …, x); make it a method with [Remote]; or run it in this process with Isolation.None.");
        }

        return function;
    }

    public static LambdaRemoteFunction Of(Delegate work, bool isAsync)
    {
        var method = work.Method;
        if (!work.HasSingleTarget)
            return new(method, LambdaNameParser.DisplayNameOf(method), isAsync, "it is a multicast delegate");
        if (method.IsStatic && work.Target is not null)
            return new(method, LambdaNameParser.DisplayNameOf(method), isAsync, $"it is bound to its first argument, a {work.Target.GetType()}");

        // Captured variables are fields of the method's class, so the answer is the same for each instance.
        return ByMethod.TryGetValue(method, out var known)
            ? known
            : ByMethod.GetValue(method, method => new(method, LambdaNameParser.DisplayNameOf(method), isAsync, LambdaNameParser.FindTransferObstacle(method)));
    }

    private static bool TakesTokenIn(MethodInfo method) => Array.Exists(method.GetParameters(), static parameter => parameter.ParameterType == typeof(CancellationToken));

    private static string MethodOf(MethodInfo method) =>
        method.DeclaringType is not { } type || type.GetMember(method.Name, BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Length == 1
            ? method.Name
            : method.ToString()!;
}
