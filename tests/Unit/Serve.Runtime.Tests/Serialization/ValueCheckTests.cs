using Serve.Runtime.TestWorker;
using Serve.Runtime.Testing;

namespace Serve.Runtime.Tests.Serialization;

/// <summary><see cref="ClusterOptions.CheckValues"/> gives calls in this process the errors of calls in workers, and finds calls that write to their arguments.</summary>
public sealed class ValueCheckTests
{
    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task Call_WritesToArrayInArgument_Fails(Isolation isolation)
    {
        await using var ray = await CreateAsync(isolation, checkValues: true);
        var mapped = ray.Put(new double[500_000]);

        var shared = await Assert.ThrowsAsync<InvalidOperationException>(() => ray.ArrayWriterJobs.Write.Remote(mapped, 99).AsTask().SoonAsync());
        var nested = await Assert.ThrowsAsync<InvalidOperationException>(() => ray.ArrayWriterJobs.WriteInside.Remote(new ArrayWriterJobs.Holder { Values = new int[3] }).AsTask().SoonAsync());
        var late = await Assert.ThrowsAsync<InvalidOperationException>(() => ray.ArrayWriterJobs.WriteLater.Remote(new double[3]).AsTask().SoonAsync());
        var actor = ray.ArrayWriterActor.Options(new() { Isolation = isolation }).Remote();
        var call = await Assert.ThrowsAsync<InvalidOperationException>(() => actor.Write.Remote(new double[3]).AsTask().SoonAsync());

        Assert.StartsWith("ArrayWriterJobs.Write wrote to an array in argument 1 (double[] of 500,000 elements).", shared.Message, StringComparison.Ordinal);
        Assert.StartsWith("ArrayWriterJobs.WriteInside wrote to an array in argument 1 (int[] of 3 elements).", nested.Message, StringComparison.Ordinal);
        Assert.Contains("WriteLater", late.Message, StringComparison.Ordinal);
        Assert.Contains("ArrayWriterActor.Write", call.Message, StringComparison.Ordinal);
        Assert.Equal(0, await ray.ArrayWriterJobs.Read.Remote(new double[3]).AsTask().SoonAsync());
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task Call_WritesToArrayInArgument_WithoutCheckReturns(Isolation isolation)
    {
        await using var ray = await CreateAsync(isolation, checkValues: false);

        Assert.Equal(99, await ray.ArrayWriterJobs.Write.Remote(ray.Put(new double[500_000]), 99).AsTask().SoonAsync());
    }

    [Theory]
    [InlineData(Isolation.None)]
    [InlineData(Isolation.Process)]
    public async Task Call_ValueThatCannotBeSent_FailsAsInWorker(Isolation isolation)
    {
        await using var ray = await CreateAsync(isolation, checkValues: true);

        var argument = await Assert.ThrowsAsync<NotSerializableException>(() => ray.ArrayWriterJobs.Accept.Remote(new ArrayWriterJobs.Holder { Callback = () => { } }).AsTask().SoonAsync());
        var result = await Assert.ThrowsAsync<NotSerializableException>(() => ray.Jobs.Unwritable.Remote().AsTask().SoonAsync());

        var constructed = await Assert.ThrowsAsync<ActorDiedException>(() => ray.ArrayWriterActor.Options(new() { Isolation = isolation }).Remote(new ArrayWriterJobs.Holder { Callback = () => { } }).HasState.Remote().AsTask().SoonAsync());

        Assert.Contains("its Callback is of type Action: a delegate", constructed.Message, StringComparison.Ordinal);
        Assert.Contains("its Callback is of type Action: a delegate", argument.Message, StringComparison.Ordinal);
        Assert.Contains("The result of Jobs.Unwritable", result.Message, StringComparison.Ordinal);
        Assert.Equal(1, await ray.ArrayWriterJobs.Accept.Remote(new ArrayWriterJobs.Holder()).AsTask().SoonAsync());
    }

    private static Task<Cluster> CreateAsync(Isolation isolation, bool checkValues) =>
        Cluster.Init(new() { NumCpus = 1, Isolation = isolation, CheckValues = checkValues, WorkerCommand = [LocalAgentFixture.Executable, "worker"], Observable = false });
}
