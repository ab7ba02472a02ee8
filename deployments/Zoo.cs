// Many models, few in memory: a request names its model and is routed to a replica that has it loaded.
//   curl -H 'serve_multiplexed_model_id: lion' 'http://127.0.0.1:8000/Zoo?x=2'
using Serve;

[Deployment(NumReplicas = 2)]
public sealed class Zoo(IMultiplexed<Animal> animals, IReplicaContext replica)
{
    // The model is in use until this request has completed, and cannot be unloaded before.
    public async Task<Answer> Call(double x = 1)
    {
        var animal = await animals.Get();
        return new(animal.Name, animal.Predict(x), replica.ReplicaId.ToString(), animals.Loaded);
    }

    // Called when a request names an animal that is not loaded. If three are loaded, the least recently used one is disposed first.
    [Multiplexed(MaxModelsPerReplica = 3)]
    public async Task<Animal> Load(string name, CancellationToken stop)
    {
        // A real model would be read from a file or a bucket.
        await Task.Delay(20, stop);
        return new Animal(name);
    }
}

public sealed record Answer(string Model, double Y, string Replica, IReadOnlyList<string> Loaded);

public sealed class Animal(string name) : IDisposable
{
    // Equal for equal names in all replicas.
    private double[]? weights = [.. name.Select(letter => letter % 10 / 10.0)];

    public string Name => name;

    public double Predict(double x)
    {
        ObjectDisposedException.ThrowIf(weights is null, this);
        return weights.Reverse().Aggregate(0.0, (sum, weight) => (sum * x) + weight);
    }

    public void Dispose() => weights = null;
}
