using Serve.Calls;

namespace Serve.Tuning;

/// <summary>A trial as a task of the cluster; it runs in this process.</summary>
internal sealed class TrialCall(Func<CancellationToken, ValueTask<bool>> body) : MethodCall<bool>
{
    /// <summary>The function of all trials.</summary>
    public static RemoteFunction Function { get; } = new(typeof(TrialCall), "Trial", isAsync: true, new RemoteAttribute { MaxRetries = 0 });

    public override string Method => "Trial";

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<bool> result)
    {
        result = body(cancellationToken);
        return true;
    }

    public override object?[] GetArguments() => throw new NotSerializableException("Trials of a Tuner run in the process of the driver.");
}
