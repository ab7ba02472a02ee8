using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Inference.Analysis;
using Serve.Inference.Models;
using Serve.Inference.Tensors;
using Serve.Replica.Batching;

namespace Serve.Inference.Tests;

/// <summary>Batching of concurrent requests for one version.</summary>
public sealed class ModelRunBatcherTests : IDisposable
{
    private const float Bad = 666;
    private const int Width = 1000;

    private static readonly RowIndependence Proven = new(RowIndependenceVerdict.Proven, "", []);

    private readonly FakeOnnxModel _model = new("x.onnx", FakeOnnxModel.Spec("x", TensorType.Float32, -1, -1));
    private readonly List<string> _shapes = [];
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ModelVersionCounters _counters = new(TimeProvider.System);
    private readonly ModelBatchingConfigKey _batching = new(() => []);
    private readonly ModelRunBatcher _runs;

    public ModelRunBatcherTests()
    {
        _model.Before = () => _open.Task;
        _model.Run = inputs =>
        {
            var tensor = inputs.Single().Tensor;
            lock (_shapes)
                _shapes.Add(string.Join('x', tensor.Shape.ToArray()));
            return tensor.Data<float>().Span.Contains(Bad) ? throw new InferenceException("It is bad.") : [("x_out", tensor)];
        };
        _runs = new(_model, Proven, _counters, _batching, TimeProvider.System, NullLogger.Instance);
    }

    public void Dispose() => _runs.Dispose();

    [Fact]
    public async Task Run_SeveralCallers_ShareRun()
    {
        await OccupyAsync();
        var pending = new[] { RunAsync([1, 2]), RunAsync([3, 4, 5, 6]), RunAsync([7, 8, 9, 10, 11, 12]) };
        Assert.Equal(3, _runs.Waiting);
        _open.SetResult();

        var answers = await Task.WhenAll(pending);
        Assert.Equal(["[1,2] 1,2", "[2,2] 3,4,5,6", "[3,2] 7,8,9,10,11,12"], answers.Select(Text));
        Assert.Equal(["1x2", "1x2", "6x2"], _shapes);
        var statistics = _counters.Read("fake", "1");
        Assert.Equal((3, 5), (statistics.ExecutionCount, statistics.InferenceStats.ComputeInfer.Count));
        Assert.Equal(["1: 2", "6: 1"], statistics.BatchStats.Select(each => $"{each.BatchSize}: {each.ComputeInfer.Count}"));
        Assert.Equal(5, statistics.InferenceStats.Queue.Count);
        Assert.True(statistics.InferenceStats.Queue.Ns > 0);
    }

    [Theory]
    [InlineData("""{}""", false)]
    [InlineData("""{"enabled":true}""", true)]
    public void IsJoining_RowsNotProven_OnlyIfConfigured(string config, bool expected)
    {
        using var runs = new ModelRunBatcher(_model, new(RowIndependenceVerdict.Refuted, "output 'y': CumSum 'c': accumulates over the rows", []), _counters, _batching, TimeProvider.System, NullLogger.Instance);
        _batching.Read(JsonNode.Parse(config))();

        Assert.Equal(expected, runs.IsJoining);
    }

    [Fact]
    public async Task Run_RowsNotProven_RunsAreNotShared()
    {
        using var runs = new ModelRunBatcher(_model, new(RowIndependenceVerdict.Unknown, "no rule", []), _counters, _batching, TimeProvider.System, NullLogger.Instance);
        _open.SetResult();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(index => runs.RunAsync(Request([index, index]), default).AsTask()));

        Assert.Equal(Enumerable.Repeat("1x2", 8), _shapes);
    }

    [Fact]
    public async Task Run_MoreThanMaximum_UsesSeveralRuns()
    {
        Set("""{"max_batch_size":4}""");
        await OccupyAsync();
        var pending = Enumerable.Range(0, 5).Select(index => RunAsync([index, 0, 1, 2])).Append(RunAsync(new float[5 * 2])).ToArray();
        _open.SetResult();

        var answers = await Task.WhenAll(pending);
        Assert.Equal([.. Enumerable.Range(0, 5).Select(index => $"[2,2] {index},0,1,2"), "[5,2] 0,0,0,0,0,0,0,0,0,0"], answers.Select(Text));
        Assert.Equal(["1x2", "1x2", "2x2", "4x2", "4x2", "5x2"], _shapes.Order());
    }

    [Theory]
    [InlineData(false, "1x2;1x2;2x2;2x3", "[1,3] 3,4,5")]
    [InlineData(true, "1x2;1x2;4x3", "[1,3] 3,4,5")]
    public async Task Run_InnerLengthsDiffer_ShareRunOnlyWithPadding(bool padding, string expected, string third)
    {
        Set($$"""{"padding":{{(padding ? "true" : "false")}}}""");
        await OccupyAsync();
        var pending = new[] { RunAsync([1, 2]), RunAsync([3, 4, 5], 3), RunAsync([6, 7]), RunAsync([8, 9, 10], 3) };
        _open.SetResult();

        var answers = await Task.WhenAll(pending);
        Assert.Equal(expected, string.Join(';', _shapes.Order()));
        Assert.Equal(padding ? "[1,3] 1,2,0" : "[1,2] 1,2", Text(answers[0]));
        Assert.Equal(third, Text(answers[1]));
    }

    [Fact]
    public async Task Run_DifferentOutputs_UseSeparateRuns()
    {
        await OccupyAsync();
        var pending = new[] { RunAsync([1, 2]), RunAsync([3, 4], outputs: "x_out"), RunAsync([5, 6]), RunAsync([7, 8], outputs: "x_out") };
        _open.SetResult();

        Assert.Equal(["[1,2] 1,2", "[1,2] 3,4", "[1,2] 5,6", "[1,2] 7,8"], (await Task.WhenAll(pending)).Select(Text));
        Assert.Equal(["1x2", "1x2", "2x2", "2x2"], _shapes);
    }

    [Fact]
    public async Task Run_OneRequestFails_OthersSucceed()
    {
        await OccupyAsync();
        var pending = new[] { RunAsync([1, 2]), RunAsync([3, Bad]), RunAsync([5, 6]) };
        _open.SetResult();

        Assert.Equal("[1,2] 1,2", Text(await pending[0]));
        Assert.Equal("It is bad.", (await Assert.ThrowsAsync<InferenceException>(() => pending[1])).Message);
        Assert.Equal("[1,2] 5,6", Text(await pending[2]));
        Assert.Equal(["1x2", "1x2", "3x2", "1x2", "1x2", "1x2"], _shapes);
    }

    [Fact]
    public async Task Run_DeadlinePassesWhileQueued_IsRefusedWithoutARun()
    {
        await OccupyAsync();
        var late = Request([3, 4]);
        late.ApplyTimeout(1000, TimeProvider.System);
        var pending = new[] { RunAsync([1, 2]), _runs.RunAsync(late, default).AsTask(), RunAsync([5, 6]) };
        await Eventually.TrueAsync(() => late.Urgency.RemainingTime(TimeProvider.System) == TimeSpan.Zero);
        _open.SetResult();

        await Assert.ThrowsAsync<DeadlineUnmeetableException>(() => pending[1]);
        Assert.Equal("[1,2] 5,6", Text(await pending[2]));
        Assert.Equal(["1x2", "1x2", "2x2"], _shapes);
    }

    [Theory]
    [InlineData(0UL, 0)]
    [InlineData(1UL, 10)]
    [InlineData(2UL, 9)]
    [InlineData(20UL, -9)]
    [InlineData(ulong.MaxValue, -10)]
    public void ApplyPriority_LevelOfTriton_IsAPriority(ulong level, int expected)
    {
        var request = new InferenceRequest();
        request.ApplyPriority(level);

        Assert.Equal(expected, request.Urgency.Priority);
    }

    [Fact]
    public async Task Run_CanceledWhileQueued_LeavesBatch()
    {
        await OccupyAsync();
        using var stop = new CancellationTokenSource();
        var pending = new[] { RunAsync([1, 2]), RunAsync([3, 4], stop: stop.Token), RunAsync([5, 6]) };
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending[1]);
        _open.SetResult();

        Assert.Equal(["[1,2] 1,2", "[1,2] 5,6"], [Text(await pending[0]), Text(await pending[2])]);
        Assert.Equal(["1x2", "1x2", "2x2"], _shapes);
    }

    [Fact]
    public async Task Run_CanceledWhileRunning_ReleasesItsOutputs()
    {
        var occupied = await OccupyAsync();
        using var stop = new CancellationTokenSource();
        var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pending = new[] { RunAsync([1, 2]), RunAsync([3, 4], stop: stop.Token) };
        _model.Before = () => joined.Task;
        _open.SetResult();
        await Eventually.TrueAsync(() => _model.Runs == 3, () => $"{_model.Runs} runs");
        await stop.CancelAsync();
        joined.SetResult();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending[1]);
        foreach (var each in await Task.WhenAll([.. occupied, pending[0]]))
            each.Dispose();
        await Eventually.TrueAsync(() => _model.UnreturnedOutputs == 0, () => $"{_model.UnreturnedOutputs} lent");
    }

    [Fact]
    public async Task Run_AllCallersOfARunAreCanceled_TheRunIsStopped()
    {
        var occupied = await OccupyAsync();
        using var one = new CancellationTokenSource();
        using var other = new CancellationTokenSource();
        var pending = new[] { RunAsync([1, 2], stop: one.Token), RunAsync([3, 4], stop: other.Token) };
        _model.Before = () => Task.Delay(Timeout.Infinite);
        _open.SetResult();
        await Eventually.TrueAsync(() => _model.Runs == 3, () => $"{_model.Runs} runs");

        await one.CancelAsync();
        Assert.False(_model.LastToken.IsCancellationRequested);
        await other.CancelAsync();
        await Eventually.TrueAsync(() => _model.LastToken.IsCancellationRequested);
        foreach (var each in pending)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => each);
        foreach (var each in await Task.WhenAll(occupied))
            each.Dispose();
    }

    [Fact]
    public async Task Outputs_SharedRun_LiveUntilLastDisposed()
    {
        var occupied = await OccupyAsync();
        var pending = new[] { RunAsync([1, 2]), RunAsync([3, 4]) };
        _open.SetResult();
        foreach (var each in await Task.WhenAll(occupied))
            each.Dispose();
        var answers = await Task.WhenAll(pending);
        Assert.Equal(1, _model.UnreturnedOutputs);
        answers[1].Dispose();
        answers[1].Dispose();
        Assert.Equal(1, _model.UnreturnedOutputs);
        answers[0].Dispose();
        Assert.Equal(0, _model.UnreturnedOutputs);
    }

    [Fact]
    public async Task Inputs_SharedRun_AreReusedAfterLastDisposed()
    {
        // The outputs share the memory of the inputs, so held outputs must not change.
        var inputs = new ConcurrentBag<float[]>();
        var run = _model.Run!;
        _model.Run = given =>
        {
            if (given[0].Tensor.Shape[0] == 2 && MemoryMarshal.TryGetArray<float>(given[0].Tensor.Data<float>(), out var memory))
                inputs.Add(memory.Array!);
            return run(given);
        };
        var occupied = await OccupyAsync();
        var pending = new[] { RunAsync(Row(1), Width), RunAsync(Row(2), Width) };
        _open.SetResult();
        var held = await Task.WhenAll(pending);
        var joined = Assert.Single(inputs);

        for (var round = 0; round < 50; round++)
        {
            foreach (var each in await Task.WhenAll(RunAsync(Row(3), Width), RunAsync(Row(4), Width), RunAsync(Row(5), Width)))
                each.Dispose();
        }

        Assert.All(held, (each, index) => Assert.Equal(Row(index + 1), each[0].Tensor.ToArray<float>()));
        held[0].Dispose();
        Assert.NotSame(joined, ArrayPool<float>.Shared.Rent(2 * Width));
        held[1].Dispose();
        Assert.Same(joined, ArrayPool<float>.Shared.Rent(2 * Width));
        Array.ForEach(occupied, each => each.Result.Dispose());

        static float[] Row(float value) => [.. Enumerable.Repeat(value, Width)];
    }

    [Fact]
    public async Task Run_OutputLengthDiffers_DisablesBatching()
    {
        _model.Run = _ => [("x_out", Tensor.Of([7f], 1, 1))];
        await OccupyAsync();
        var pending = new[] { RunAsync([1, 2]), RunAsync([3, 4]) };
        _open.SetResult();
        Assert.Equal(["[1,1] 7", "[1,1] 7"], (await Task.WhenAll(pending)).Select(Text));
        Assert.Equal(2 + 1 + 2, _model.Runs);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RunAsync([1, 2])));
        Assert.Equal(2 + 1 + 2 + 8, _model.Runs);
        Assert.DoesNotContain(_counters.Read("fake", "1").BatchStats, each => each.BatchSize > 1);
    }

    [Fact]
    public async Task Run_Alone_NeverWaits()
    {
        _open.SetResult();
        Set("""{"batch_wait_timeout_s":3600}""");
        for (var index = 0; index < 50; index++)
            Assert.Equal("[1,2] 1,2", Text(await RunAsync([1, 2]).WaitAsync(TimeSpan.FromSeconds(20))));
        Assert.Equal(50, _model.Runs);
    }

    [Fact]
    public async Task Run_MaximumReducedWhileQueued_RunsAlone()
    {
        var clock = new TellingClock();
        using var changing = new ModelRunBatcher(_model, Proven, _counters, _batching, clock, NullLogger.Instance);
        var first = changing.RunAsync(Request([0, 0]), default).AsTask();
        // The clock is read between the size check and the queueing.
        clock.Asked = () =>
        {
            clock.Asked = null;
            _batching.Read(JsonNode.Parse("""{"max_batch_size":2}"""))();
            changing.Apply(_batching.Settings);
        };
        var second = changing.RunAsync(Request(new float[3 * 2]), default).AsTask();
        _open.SetResult();

        Assert.Null(clock.Asked);
        Assert.Equal("[1,2] 0,0", Text(await first));
        Assert.Equal("[3,2] 0,0,0,0,0,0", Text(await second));
    }

    [Fact]
    public async Task Run_BatchingDisabled_RunsConcurrently()
    {
        Set("""{"enabled":false}""");
        var pending = Enumerable.Range(0, 8).Select(index => RunAsync([index, 0])).ToArray();
        Assert.Equal((8, 0), (_model.Runs, _runs.Waiting));
        _open.SetResult();
        Assert.Equal(8, (await Task.WhenAll(pending)).Length);
    }

    [Fact]
    public async Task Dispose_QueuedRequests_MoveToOtherVersion()
    {
        var occupied = await OccupyAsync();
        var waiting = new[] { RunAsync([1, 2]), RunAsync([3, 4]) };
        _runs.Dispose();
        // Before the model continues: the cancellation runs on another thread, and the run might end first.
        foreach (var each in waiting.Append(occupied[1]))
            await Assert.ThrowsAsync<ObjectDisposedException>(() => each);
        _open.SetResult();
        Assert.Equal("[1,2] 0,0", Text(await occupied[0]));
    }

    [Theory]
    [InlineData("-1,2", "n", "-1", "n", "-1,3", true)]
    [InlineData("-1,2", "n", "-1", "", "-1,3", true)]
    [InlineData("-1,2", "n", "-1", "m", "-1,3", false)]
    [InlineData("-1,2", "n", "1", "", "-1,3", false)]
    [InlineData("-1,2", "n", "", "", "-1,3", false)]
    [InlineData("-1,2", "n", "-1", "n", "3", false)]
    public void CanJoin_FirstDimensions_MustBeOpen(string one, string symbol, string other, string otherSymbol, string output, bool expected)
    {
        using var made = new FakeOnnxModel("x", Spec(one, symbol), Spec(other, otherSymbol)) { DeclaredOutputs = [Spec(output, "")] };
        Assert.Equal(expected, ModelRunBatcher.CanJoin(made, Proven));
    }

    [Theory]
    [InlineData("7", "user_config: batching must be an object with max_batch_size, batch_wait_timeout_s, max_concurrent_batches, adaptive, enabled, padding, not 7.")]
    [InlineData("""{"enabeld":true}""", "user_config: batching has an unknown key 'enabeld'. Did you mean 'enabled'? Known keys are max_batch_size, batch_wait_timeout_s, max_concurrent_batches, adaptive, enabled, padding.")]
    [InlineData("""{"padding":1}""", "user_config: batching.padding must be true or false, not 1.")]
    [InlineData("""{"max_batch_size":0}""", "user_config: batching.max_batch_size must be an integer of at least 1, not 0.")]
    public void Config_Invalid_Throws(string json, string expected) =>
        Assert.Equal(expected, Assert.Throws<BadInputException>(() => _batching.Read(JsonNode.Parse(json))).Message);

    [Fact]
    public void Config_Removed_RestoresDefaults()
    {
        _batching.Read(JsonNode.Parse("""{"enabled":false,"padding":true,"max_batch_size":7,"adaptive":false,"batch_wait_timeout_s":0.5,"max_concurrent_batches":3}"""))();
        var (enabled, padding, queue) = (_batching.Settings.Enabled, _batching.Settings.Padding, _batching.Settings.Queue);
        Assert.Equal((false, true, 7, false, TimeSpan.FromSeconds(0.5), 3), (enabled, padding, queue.MaxBatchSize, queue.Adaptive, queue.WaitTimeout, queue.MaxConcurrentBatches));
        _batching.Read(null)();
        Assert.Equal(new ModelBatchSettings(), _batching.Settings);
    }

    private static TensorSpec Spec(string shape, string symbol)
    {
        long[] lengths = [.. shape.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
        return new("x", TensorType.Float32, [.. lengths]) { Symbols = symbol.Length == 0 ? [] : [symbol, .. lengths.Skip(1).Select(_ => "")] };
    }

    private static string Text(ModelOutputs outputs)
    {
        var tensor = Assert.Single(outputs).Tensor;
        return $"[{string.Join(',', tensor.Shape.ToArray())}] {string.Join(',', tensor.ToArray<float>())}";
    }

    private void Set(string json)
    {
        _batching.Read(JsonNode.Parse(json))();
        _runs.Apply(_batching.Settings);
    }

    /// <summary>Occupies the runner with a single request and a batch, so that further requests are queued.</summary>
    private async Task<Task<ModelOutputs>[]> OccupyAsync()
    {
        var occupied = new[] { RunAsync([0, 0]), RunAsync([0, 0]) };
        await Eventually.TrueAsync(() => _model.Runs == 2, () => $"{_model.Runs} runs");
        return occupied;
    }

    private Task<ModelOutputs> RunAsync(float[] data, int width = 2, string? outputs = null, CancellationToken stop = default) =>
        _runs.RunAsync(Request(data, width, outputs), stop).AsTask();

    private InferenceRequest Request(float[] data, int width = 2, string? outputs = null)
    {
        var request = new InferenceRequest();
        request.Inputs.Add(new("x", Tensor.Of(data, data.Length / width, width)));
        if (outputs is not null)
            request.Outputs.Add(new(outputs, null));
        request.Validate(_model);
        return request;
    }

    /// <summary>The system clock with a notification of each read.</summary>
    private sealed class TellingClock : TimeProvider
    {
        public Action? Asked { get; set; }

        public override long GetTimestamp()
        {
            Asked?.Invoke();
            return base.GetTimestamp();
        }
    }
}
