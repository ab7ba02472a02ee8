using Serve;

/// <summary>Calls a deployment that may have no replicas.</summary>
[Deployment]
public sealed class Front(DeploymentHandle<Back> back)
{
    public async Task<string> Call() => await back.Hello.Remote();

    [HttpGet("/wait")]
    public async Task<string> Wait([FromQuery] int ms) => await back.Wait.Remote(ms);

    [HttpGet("/stopped")]
    public async Task<int> Stopped() => await back.Stopped.Remote();
}

[Deployment]
public sealed class Back
{
    private static int stopped;

    public string Hello() => "hello";

    public async Task<string> Wait(int ms, CancellationToken stop)
    {
        try
        {
            await Task.Delay(ms, stop);
            return "done";
        }
        catch (OperationCanceledException)
        {
            Interlocked.Increment(ref stopped);
            throw;
        }
    }

    public int Stopped() => stopped;
}

/// <summary>Runs a fixed number of replicas.</summary>
public sealed class Constant(int replicas) : IAutoscalingPolicy
{
    public AutoscalingDecision Decide(AutoscalingContext context) => replicas > 0
        ? new(replicas, $"always {replicas}")
        : throw new InvalidOperationException("no number");
}

/// <summary>Runs as many replicas of each deployment as there are deployments, and one more.</summary>
public sealed class Together : IApplicationAutoscalingPolicy
{
    public IReadOnlyDictionary<string, AutoscalingDecision> Decide(IReadOnlyDictionary<string, AutoscalingContext> deployments) =>
        deployments.ToDictionary(pair => pair.Key, pair => new AutoscalingDecision(deployments.Count + 1, "together"));
}
