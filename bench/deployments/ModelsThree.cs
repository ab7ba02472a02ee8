using Serve;

/// <summary>Twenty models, three replicas with one slot each. Loads are counted in the process that the replicas share.</summary>
[Deployment(NumReplicas = 3)]
public sealed class ModelsThree(IMultiplexed<CountedModel> models)
{
    public async Task<int> Call()
    {
        await models.Get();
        return CountedModel.Loads;
    }

    [Multiplexed(MaxModelsPerReplica = 1)]
    public CountedModel Load(string id) => new(id);
}

public sealed class CountedModel
{
    private static int loads;

    public CountedModel(string id) => (Id, _) = (id, Interlocked.Increment(ref loads));

    public static int Loads => Volatile.Read(ref loads);

    public string Id { get; }
}
