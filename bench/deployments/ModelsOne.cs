using Serve;

/// <summary>Twenty models, one replica with three slots. Loads are counted in the process.</summary>
[Deployment]
public sealed class ModelsOne(IMultiplexed<CountedModel> models)
{
    public async Task<int> Call()
    {
        await models.Get();
        return CountedModel.Loads;
    }

    [Multiplexed(MaxModelsPerReplica = 3)]
    public CountedModel Load(string id) => new(id);
}

public sealed class CountedModel
{
    private static int loads;

    public CountedModel(string id) => (Id, _) = (id, Interlocked.Increment(ref loads));

    public static int Loads => Volatile.Read(ref loads);

    public string Id { get; }
}
