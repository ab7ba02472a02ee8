using Serve.Runtime.TestWorker.Values;
using Serve.Runtime.Testing;

namespace Serve.Runtime.Tests.Serialization;

/// <summary>Values arrive equal in a real worker process and in its result, or are rejected at the call.</summary>
public sealed class TravelingValueTests
{
    [Fact]
    public async Task Run_AnyValue_ArrivesEqualOrIsRejectedAtTheCall()
    {
        await using var ray = await Cluster.Init(new() { NumCpus = 2, WorkerCommand = [LocalAgentFixture.Executable, "worker"], Observable = false });

        var outcomes = await Task.WhenAll(TravelingValues.All.Select((value, index) => SendAsync(ray, value, index))).WaitAsync(TimeSpan.FromMinutes(3));

        Assert.Equal(297, outcomes.Length);
        Assert.Empty(outcomes.OfType<string>());
    }

    private static async Task<string?> SendAsync(Cluster ray, TravelingValue value, int index)
    {
        try
        {
            var difference = await value.SendAsync(ray, index);
            return value.IsRefused ? $"{value.Name}: accepted" : difference is null ? null : $"{value.Name}: {difference}";
        }
        catch (NotSerializableException refused) when (value.IsRefused)
        {
            return refused.Message.StartsWith("Argument", StringComparison.Ordinal) ? null : $"{value.Name}: rejected late: {refused.Message}";
        }
        catch (Exception thrown)
        {
            return $"{value.Name}: {thrown.GetType().Name}: {thrown.Message}";
        }
    }
}
