// bench/deployments/Waiter.cs: keeps each request for 50 ms and returns the replica that answered.
using Serve;

[Deployment]
public sealed class Waiter(IReplicaContext replica)
{
    public async Task<string> Call()
    {
        await Task.Delay(50);
        return replica.ReplicaId.ToString();
    }
}
