using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Nodes;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;
using Serve.Replicas;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Replica.Tests.Batching;

/// <summary>Calls of batched methods through handles, with the real runtime.</summary>
public sealed class BatchedHandleTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly string _key = Guid.NewGuid().ToString("n");
    private readonly string _logs = Directory.CreateTempSubdirectory("serve-batched-").FullName;
    private ServiceProvider _services = null!;
    private ActorId _id;
    private ICallTarget _replica = null!;

    public async Task InitializeAsync()
    {
        _services = new ServiceCollection().AddServeRuntime(new NodeRuntimeOptions()).AddServeReplicas(SamplePackages.FoldersOf(typeof(Batched).Assembly.Location, _logs)).BuildServiceProvider();
        var id = $"shop#Batched#{_key[..8]}";
        var process = await _services.GetRequiredService<INodeAgent>().CreateActorAsync(new ActorSpec
        {
            Id = new ActorId(id),
            Kind = ReplicaStartRequest.ActorKind,
            MaxOngoing = 100,
            Payload = JsonSerializer.SerializeToUtf8Bytes(new ReplicaStartRequest
            {
                ReplicaId = id,
                Spec = new DeploymentSpec { Name = "Batched" },
                AssemblyFile = Path.GetFileName(typeof(Batched).Assembly.Location),
                PackageHash = SamplePackages.HashOf(typeof(Batched).Assembly.Location),
                TypeName = typeof(Batched).FullName!,
                Args = new JsonObject { ["key"] = _key },
            }, ServeJson.Options),
        }, CancellationToken.None);
        _replica = _services.GetRequiredService<IActorReferenceResolver>().Resolve(_id = new(id), process);
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        Directory.Delete(_logs, recursive: true);
    }

    [Fact]
    public async Task ByName_ItemsOfSeveralCallers_AreOneBatch()
    {
        var labels = await AllAsync(Enumerable.Range(0, 4).Select(i => CallAsync<Labelled>("Call", new { Name = $"p{i}" })));

        Assert.Equal(Enumerable.Range(0, 4).Select(i => new Labelled($"p{i}", 4)), labels);
    }

    [Fact]
    public async Task Compiled_ItemAndResult_AreTyped()
    {
        var square = new RemoteMethod<Batched, int, int>(new DeploymentHandle<Batched>(_replica, "Batched"), "Square", null);

        var (nine, sixteen) = (square.Remote(3), square.Remote(4));

        Assert.Equal((9, 16), (await nine, await sixteen));
    }

    [Fact]
    public async Task SeveralLists_AreSeveralArguments() =>
        Assert.Equal(["a-b-True", "c-d-True"], await AllAsync([CallAsync<string>("Join", "a", "b"), CallAsync<string>("Join", "c", "d")]));

    [Fact]
    public async Task WrongArguments_AreRefusedAndNoItems()
    {
        var count = await Assert.ThrowsAsync<BadInputException>(() => CallAsync<int>("Square", 1, 2));
        var type = await Assert.ThrowsAsync<BadInputException>(() => CallAsync<int>("Square", "x"));
        Assert.Contains("Batched.Square takes (int number); 2 argument(s) were given", count.Message, StringComparison.Ordinal);
        Assert.Contains("argument 1, 'number', must be int", type.Message, StringComparison.Ordinal);

        Assert.Equal((int[])[9, 16], await AllAsync([CallAsync<int>("Square", 3), CallAsync<int>("Square", 4)]));
    }

    [Fact]
    public async Task Outcomes_AreEachCallersOwn()
    {
        var calls = new[] { 1, 2, 0 }.Select(n => CallAsync<int>("Odd", n)).ToArray();

        Assert.Equal(1, await calls[0].WaitAsync(Limit));
        Assert.Equal("2 is even", (await Assert.ThrowsAsync<BadInputException>(() => calls[1])).Message);
        Assert.Contains("no result", (await Assert.ThrowsAsync<UserCodeException>(() => calls[2])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Throws_EachCallerReceivesException()
    {
        var calls = new[] { 1, 2 }.Select(n => CallAsync<int>("Broken", n)).ToArray();

        foreach (var call in calls)
            Assert.Equal("cannot do 2", (await Assert.ThrowsAsync<UserCodeException>(() => call.WaitAsync(Limit))).Message);
    }

    [Theory]
    [InlineData("TooMany", "TooMany returned 3 results for 2 items")]
    [InlineData("NoList", "NoList returned null instead of a list with 2 results")]
    public async Task Results_NotOneForEach_IsEachCallersError(string method, string expected)
    {
        foreach (var call in new[] { 1, 2 }.Select(n => CallAsync<int>(method, n)).ToArray())
            Assert.Contains(expected, (await Assert.ThrowsAsync<UserCodeException>(() => call.WaitAsync(Limit))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("WideSteps", "WideSteps yielded 3 results for 2 items")]
    [InlineData("NoStream", "NoStream returned null instead of a stream")]
    public async Task Steps_NotOneForEach_IsEachCallersError(string method, string expected)
    {
        foreach (var read in new[] { 1, 2 }.Select(n => ReadAsync<int>(method, CallContext.None, n)).ToArray())
            Assert.Contains(expected, (await Assert.ThrowsAsync<UserCodeException>(() => read.WaitAsync(Limit))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sizes_BySomethingOfTheObject_AreAdded() =>
        Assert.Equal((int[])[2, 2], await AllAsync([CallAsync<int>("Halves", "1234567890"), CallAsync<int>("Halves", "1234567890")]));

    [Fact]
    public async Task Stream_Models_SplitBatches()
    {
        var read = await AllAsync(new[] { "a", "b", "a" }.Select(model => ReadAsync<string>("ModelStream", new CallContext { MultiplexedModelId = model }, 1)));

        Assert.Equal(["a 2", "b 1", "a 2"], read.Select(Assert.Single<string>));
    }

    [Fact]
    public async Task Stream_StepsAtOnce_TakeTurns() =>
        Assert.All(await AllAsync(Enumerable.Range(0, 8).Select(i => ReadAsync<int>("InsideSteps", CallContext.None, i))), seen => Assert.Equal([1, 1, 1, 1], seen));

    [Fact]
    public async Task TooLarge_IsBadInput() =>
        Assert.Contains("but was 11", (await Assert.ThrowsAsync<BadInputException>(() => CallAsync<int>("Words", "12345678901"))).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Models_SplitBatches()
    {
        var calls = new[] { "a", "b", "a" }.Select(model => CallAsync<string>("Model", new CallContext { MultiplexedModelId = model }, default, 1));

        Assert.Equal(["a 2", "b 1", "a 2"], await AllAsync(calls));
        Assert.Null(RequestContext.Current);
    }

    [Fact]
    public async Task Stream_EachCallerReadsItsOwn()
    {
        TestSignals.Set($"{_key}-third");

        var both = await AllAsync(new[] { 2, 4 }.Select(from => ReadAsync(from)));

        Assert.Equal([2, 1, 0], both[0]);
        Assert.Equal([4, 3, 2, 1, 0], both[1]);
    }

    [Fact]
    public async Task Stream_OneFails_TheOtherGoesOn()
    {
        TestSignals.Set($"{_key}-third");
        var reading = new[] { 13, 15 }.Select(from => ReadAsync(from)).ToArray();

        Assert.Equal("13", (await Assert.ThrowsAsync<BadInputException>(() => reading[0].WaitAsync(Limit))).Message);
        Assert.Equal(16, (await reading[1].WaitAsync(Limit)).Count);
    }

    [Fact]
    public async Task Stream_ReadersLeave_StopsTheBatch()
    {
        var left = await AllAsync(new[] { 8, 9 }.Select(async from =>
        {
            await foreach (var n in _replica.StreamAsync(new NamedMethodCall<IAsyncEnumerable<int>>("Count", from), CallContext.None, default))
                return n;
            return -1;
        }));

        Assert.Equal([8, 9], left);
        await TestSignals.WaitAsync($"{_key}-ended");
    }

    [Fact]
    public async Task Cancel_WhileWaiting_LeavesTheBatch()
    {
        using var gone = new CancellationTokenSource();
        var waiting = CallAsync<Labelled>("Call", CallContext.None, gone.Token, new Picture("gone"));
        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        var labels = await AllAsync(Enumerable.Range(0, 4).Select(i => CallAsync<Labelled>("Call", new Picture("p"))));
        Assert.All(labels, label => Assert.Equal(new Labelled("p", 4), label));
    }

    [Fact]
    public async Task Cancel_AllCallers_CancelsTheBatch()
    {
        using var gone = new CancellationTokenSource();
        var calls = new[] { 1, 2 }.Select(n => CallAsync<int>("Hang", CallContext.None, gone.Token, n)).ToArray();
        await TestSignals.WaitAsync($"{_key}-hanging");

        await gone.CancelAsync();

        await TestSignals.WaitAsync($"{_key}-released");
        foreach (var call in calls)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(Limit));
    }

    [Fact]
    public async Task Stop_WithABatchThatDoesNotFill_RunsItAtOnce()
    {
        var waiting = CallAsync<int>("Square", 3);
        var runtime = _services.GetRequiredService<INodeAgent>();

        var stopping = runtime.StopActorAsync(_id, TimeSpan.FromHours(1), CancellationToken.None);

        Assert.Equal(9, await waiting.WaitAsync(Limit));
        await stopping.WaitAsync(Limit);
    }

    [Fact]
    public async Task Stop_PastItsTime_TellsBatchesThatRunToStop()
    {
        using var never = new CancellationTokenSource();
        var calls = new[] { 1, 2 }.Select(n => CallAsync<int>("Hang", CallContext.None, never.Token, n)).ToArray();
        await TestSignals.WaitAsync($"{_key}-hanging");

        await _services.GetRequiredService<INodeAgent>().StopActorAsync(_id, TimeSpan.Zero, CancellationToken.None).WaitAsync(Limit);

        await TestSignals.WaitAsync($"{_key}-released");
        foreach (var call in calls)
            await Assert.ThrowsAnyAsync<Exception>(() => call.WaitAsync(Limit));
    }

    [Fact]
    public async Task Methods_OthersStayAsTheyAre() => Assert.Equal(5, await CallAsync<int>("Plain", 5).WaitAsync(Limit));

    private static async Task<T[]> AllAsync<T>(IEnumerable<Task<T>> calls) => await Task.WhenAll(calls.ToArray()).WaitAsync(Limit);

    private Task<T> CallAsync<T>(string method, params object?[] arguments) => CallAsync<T>(method, CallContext.None, default, arguments);

    private Task<T> CallAsync<T>(string method, CallContext context, CancellationToken cancellationToken, params object?[] arguments) =>
        _replica.InvokeAsync(new NamedMethodCall<T>(method, arguments), context, cancellationToken).AsTask();

    private Task<List<int>> ReadAsync(int from) => ReadAsync<int>("Count", CallContext.None, from);

    private async Task<List<T>> ReadAsync<T>(string method, CallContext context, int argument)
    {
        List<T> items = [];
        await foreach (var item in _replica.StreamAsync(new NamedMethodCall<IAsyncEnumerable<T>>(method, argument), context, default))
            items.Add(item);
        return items;
    }
}
