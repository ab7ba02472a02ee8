namespace Serve.Runtime.TestWorker;

/// <summary>An actor that calls another.</summary>
[Remote]
public sealed class RelayActor(ActorHandle<CountActor> target)
{
    /// <summary>The late argument of the first call delays the second call.</summary>
    public async Task<string> InOrder()
    {
        var first = target.Increment.Remote(Cluster.Current.ActorJobs.Late.Remote(5));
        await Task.Yield();
        var second = target.Increment.Remote(1);
        return $"{await first} {await second}";
    }

    public async Task<int> Sum(int to)
    {
        var sum = 0;
        await foreach (var item in target.Up.Remote(to))
            sum += await item;
        return sum;
    }
}
