using Microsoft.AspNetCore.Mvc;
using Serve.Replica.Tests.Fixtures;

namespace Serve.Replica.Tests.Samples;

/// <summary>Models of two types, loaded and disposed in all supported ways.</summary>
[Deployment]
public sealed class Loaders(IMultiplexed<Loaders.Plain> plain, IMultiplexed<Loaders.Both> both, string key)
{
    private readonly List<string> _events = [];
    private ModelLease<Plain>? _held;

    [HttpGet("/plain/{id}")]
    public async Task<string> GetPlain(string id) => (await plain.Get(id)).Name;

    [HttpGet("/both/{id}")]
    public async Task<string> GetBoth(string id) => (await both.Get(id)).Thread;

    // Cancels itself while its client keeps waiting.
    [HttpGet("/give-up")]
    public async Task<string> GiveUp(bool lease)
    {
        using var stop = new CancellationTokenSource();
        var getting = lease ? plain.Acquire("hang", stop.Token).AsTask() : (Task)plain.Get("hang", stop.Token).AsTask();
        await TestSignals.WaitAsync($"{key}-loading");
        await stop.CancelAsync();
        await getting.ContinueWith(_ => { }, TaskScheduler.Default);
        return getting.Status.ToString();
    }

    [HttpGet("/hold/{id}")]
    public async Task<string> Hold(string id)
    {
        _held = await plain.Acquire(id);
        return id;
    }

    [HttpGet("/drop")]
    public bool Drop()
    {
        var isThere = _held!.Model.IsThere;
        _held.Dispose();
        return isThere;
    }

    [HttpGet("/events")]
    public string Events() => string.Join(' ', _events);

    [Multiplexed(MaxModelsPerReplica = 1)]
    public async ValueTask<Plain> LoadPlain(string id, CancellationToken stop)
    {
        _events.Add($"+{id}");
        if (id == "hang")
        {
            TestSignals.Set($"{key}-loading");
            try
            {
                await Task.Delay(Timeout.Infinite, stop);
            }
            finally
            {
                TestSignals.Set($"{key}-stopped");
            }
        }

        return new Plain(id, _events);
    }

    [Multiplexed(MaxModelsPerReplica = 1), Blocking]
    public Both LoadBoth(string id) =>
        id == "bad" ? throw new BadInputException("There is no model 'bad'.") : new Both(Thread.CurrentThread.Name ?? "none", _events);

    public sealed class Plain(string id, List<string> events) : IDisposable
    {
        public string Name => id;

        public bool IsThere { get; private set; } = true;

        public void Dispose()
        {
            IsThere = false;
            events.Add($"-{id}");
            if (id == "broken")
                throw new IOException("It does not go.");
        }
    }

    public sealed class Both(string thread, List<string> events) : IAsyncDisposable, IDisposable
    {
        public string Thread => thread;

        public void Dispose() => events.Add("wrong");

        public ValueTask DisposeAsync()
        {
            events.Add($"gone on {System.Threading.Thread.CurrentThread.Name}");
            return ValueTask.CompletedTask;
        }
    }
}
