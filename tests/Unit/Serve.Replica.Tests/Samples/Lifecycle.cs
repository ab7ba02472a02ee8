using Serve.Replica.Tests.Fixtures;

namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Lifecycle(string key, string fail = "") : IReconfigurable<Settings>, ISelfCheck, IAsyncDisposable, IDisposable
{
    private readonly List<string> _events = ["constructed"];

    public string[] Call() => [.. _events];

    public void Reconfigure(Settings config)
    {
        _events.Add($"reconfigured {config.Threshold}");
        if (fail == "reconfigure" || config.Threshold > 100)
            throw new InvalidOperationException("threshold is too high");
    }

    public ValueTask CheckHealth(CancellationToken cancellationToken)
    {
        _events.Add("checked");
        return fail == "health" ? throw new InvalidOperationException("not well") : ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        var signal = TestSignals.Of($"{key}-disposed");
        if (!signal.TrySetResult())
            TestSignals.Set($"{key}-disposed-twice");
        if (fail == "hang")
            return new ValueTask(TestSignals.Of($"{key}-never").Task);
        return fail == "dispose" ? throw new InvalidOperationException("cannot dispose") : ValueTask.CompletedTask;
    }

    public void Dispose() => TestSignals.Set($"{key}-disposed-twice");
}

public sealed record Settings(double Threshold);

[Deployment]
public sealed class ByName(string key)
{
    private int _threshold;

    public int Call() => _threshold;

    public async Task Reconfigure(Settings config, CancellationToken stop)
    {
        await Task.Yield();
        stop.ThrowIfCancellationRequested();
        _threshold = (int)config.Threshold;
    }

    public async Task CheckHealth(CancellationToken stop)
    {
        if (_threshold < 0)
            await Task.Delay(Timeout.Infinite, stop);
    }

    public int CheckHealthLater(int x) => x + key.Length;
}

[Deployment]
public sealed class Throwing
{
    public Throwing() => throw new InvalidOperationException("no model file");
}

[Deployment]
public sealed class Waiting
{
    private readonly int _value = LoadAsync().GetAwaiter().GetResult();

    public int Call() => _value;

    private static async Task<int> LoadAsync()
    {
        await Task.Yield();
        return 7;
    }
}

[Deployment]
public sealed class Caller(DeploymentHandle<Counter> counter, DeploymentHandle calculator, IReplicaContext replica)
{
    public async Task<object> Call() => new
    {
        count = await counter.ToDeploymentHandle().Remote<object>(),
        square = await calculator.Method("Square").Remote<int>(3),
        requestId = replica.RequestId,
        model = replica.MultiplexedModelId,
    };
}

[Deployment]
public sealed class TwoBodies
{
    public string Call(Settings first, Numbers second) => $"{first} {second}";
}
