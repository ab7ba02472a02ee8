using Microsoft.AspNetCore.Mvc;
using Serve.Replica.Tests.Fixtures;

namespace Serve.Replica.Tests.Samples;

public interface INamed
{
    string Name { get; }
}

[Deployment]
public sealed class Models(IMultiplexed<INamed> models, IReplicaContext replica)
{
    private readonly List<string> _events = [];
    private int _asked;

    public async Task<string> Call() => (await models.Get()).Name;

    [HttpGet("/named/{id}")]
    public async Task<string> Named(string id)
    {
        _asked++;
        return (await models.Get(id)).Name;
    }

    // Runs in a turn: each counted caller has requested its model.
    [HttpGet("/asked")]
    public int Asked() => _asked;

    [HttpGet("/two")]
    public async Task<string> Two(string first, string second)
    {
        var one = (Model)await models.Get(first);
        var other = (Model)await models.Get(second);
        return $"{one.Name} {one.IsThere} {other.Name} {other.IsThere}";
    }

    [HttpGet("/together")]
    public async Task<string> Together(string first, string second) =>
        string.Join(' ', (await Task.WhenAll(models.Get(first).AsTask(), models.Get(second).AsTask())).Select(model => model.Name));

    [HttpGet("/stream")]
    public async IAsyncEnumerable<string> Stream(string signal)
    {
        var model = (Model)await models.Get();
        yield return $"{model.Name} {model.IsThere}";
        await TestSignals.WaitAsync(signal);
        yield return $"{model.Name} {model.IsThere}";
    }

    [HttpGet("/lease")]
    public async Task<string> Lease(string id)
    {
        using var lease = await models.Acquire(id);
        return string.Join(' ', models.Loaded.Append(lease.Model.Name));
    }

    [HttpGet("/events")]
    public string Events() => string.Join(' ', _events);

    [Batch(MaxBatchSize = 1), HttpGet("/batch/{id}")]
    public async Task<string[]> Batch(string[] id) => [(await models.Get(id[0])).Name];

    [Batch(MaxBatchSize = 1), HttpGet("/batch-stream/{id}")]
    public async IAsyncEnumerable<BatchResult<string>[]> BatchStream(string[] id)
    {
        await Task.Yield();
        yield return [(await models.Get(id[0])).Name];
    }

    // A shared load must not run with the context of one request.
    [Multiplexed(MaxModelsPerReplica = 2)]
    public async Task<Model> Load(string id, CancellationToken stop)
    {
        _events.Add($"+{id}{replica.MultiplexedModelId}{replica.RequestId}");
        await (id.StartsWith("held", StringComparison.Ordinal) ? TestSignals.Of(id).Task.WaitAsync(stop) : Task.Delay(1, stop));
        if (id.EndsWith("at first", StringComparison.Ordinal) && _events.Count(each => each == $"+{id}") == 1)
            throw new IOException("There is no file.");
        return id == "bad" ? throw new BadInputException("There is no model 'bad'.") : new Model(id, _events);
    }

    public sealed class Model(string id, List<string> events) : INamed, IAsyncDisposable
    {
        public string Name => id;

        public bool IsThere { get; private set; } = true;

        public async ValueTask DisposeAsync()
        {
            await Task.Yield();
            IsThere = false;
            events.Add($"-{id}");
            TestSignals.Set($"disposed {id}");
        }
    }
}
