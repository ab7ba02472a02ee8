using Microsoft.Extensions.Time.Testing;
using Serve.Calls;
using Serve.Routes;
using Serve.Routing;

namespace Serve.Replica.Tests.Multiplexing;

/// <summary>
/// 20 models with a Zipf distribution over replicas with few slots: real router and real caches, sequential requests. The ideal is a
/// single cache with the slots of all replicas that sees every request, which no router can achieve.
/// </summary>
public sealed class ModelCacheZipfTests : IDisposable
{
    private const int Models = 20;
    private const int Requests = 20_000;

    private readonly FakeTimeProvider _clock = new();
    private readonly RouteTable _table;

    public ModelCacheZipfTests() => _table = new RouteTable(_ => new NoHandleTarget(), _clock);

    [Theory]
    [InlineData(1, 3, 1, 1.0)]
    [InlineData(3, 1, 1, 1.0)]
    [InlineData(3, 3, 1, 1.0)]
    [InlineData(1, 3, 50, 1.0)]
    [InlineData(3, 1, 50, 1.0)]
    [InlineData(3, 3, 50, 1.0)]
    [InlineData(3, 1, 50, 0.8)]
    [InlineData(3, 1, 50, 1.3)]
    public async Task Loads_ZipfDistributedRequests_AreAsFewAsAnIdealLruNeeds(int replicas, int places, int requestsPerReport, double exponent)
    {
        var ids = Enumerable.Range(1, replicas).Select(i => $"r{i}").ToArray();
        _table.Apply(new RouteSnapshot { Version = new(1, 1), Deployments = [RouteOf(ids)] });
        var caches = ids.ToDictionary(id => id, _ => new RecordingModels(places, _clock));
        var router = _table.Current.FindDeployment("A", null);
        var ideal = new IdealLru(replicas * places);
        var version = 0L;
        foreach (var (number, model) in Zipf(exponent).Index())
        {
            // Reports are delayed: in between, the router only knows its own picks.
            if (number % requestsPerReport == 0)
                _table.ApplyModelReports(new("n1"), new(1, ++version), caches.ToDictionary(entry => entry.Key, entry => ReportOf(entry.Value, places, version)));
            _clock.Advance(TimeSpan.FromMilliseconds(1));
            Assert.True(router.TryAcquire(new RoutingRequest { MultiplexedModelId = model }, out var lease));
            await caches[lease.Slot.Route.ReplicaId].Touch(model);
            lease.Release();
            ideal.Touch(model);
        }

        var loads = caches.Values.Sum(cache => cache.Loads);
        Assert.True(loads <= ideal.Loads * 1.05, $"{loads} loads for {Requests} requests; an ideal LRU needs {ideal.Loads}.");
        Assert.InRange(ideal.Loads, Models, Requests - 1);
    }

    public void Dispose() => _table.Dispose();

    private static DeploymentRoute RouteOf(string[] ids) => new()
    {
        Application = "a",
        Deployment = "A",
        MaxOngoingRequests = 10,
        MaxQueuedRequests = -1,
        Replicas = [.. ids.Select(id => new ReplicaRoute(id, new ReplicaAddress(new("n1"), "here")))],
    };

    private static ReplicaModelReport ReportOf(RecordingModels models, int places, long sequence) => new() { Sequence = sequence, MaxModels = places, Models = [.. models.Cache.Held] };

    private static IEnumerable<string> Zipf(double exponent)
    {
        var random = new Random(7);
        var weights = Enumerable.Range(1, Models).Select(rank => Math.Pow(rank, -exponent)).ToArray();
        var sum = weights.Sum();
        for (var i = 0; i < Requests; i++)
        {
            var point = random.NextDouble() * sum;
            var model = 0;
            while (model < Models - 1 && (point -= weights[model]) > 0)
                model++;
            yield return $"m{model}";
        }
    }

    private sealed class IdealLru(int places)
    {
        private readonly LinkedList<string> _order = new();

        public int Loads { get; private set; }

        public void Touch(string model)
        {
            if (!_order.Remove(model))
            {
                Loads++;
                if (_order.Count == places)
                    _order.RemoveFirst();
            }

            _order.AddLast(model);
        }
    }

    private sealed class NoHandleTarget : ICallTarget
    {
        public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
