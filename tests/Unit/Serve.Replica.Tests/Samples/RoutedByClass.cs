using Serve.Routing;

namespace Serve.Replica.Tests.Samples;

/// <summary>A deployment that reports statistics for its routing policy.</summary>
[Deployment]
public sealed class Reporter
{
    private int _reports;

    public string Call() => "done";

    public async ValueTask<Dictionary<string, double>> ReportAutoscalingStats()
    {
        await Task.Yield();
        return new() { ["tokens"] = 7.5 };
    }

    public async Task<object> ReportRoutingStats()
    {
        await Task.Yield();
        return new { reports = ++_reports, cached = new[] { "a" } };
    }
}

/// <summary>A routing policy of an application.</summary>
public sealed class LastReplicaPicker(ReplicaPickerContext context) : ReplicaPicker
{
    public override int Pick(in RoutingRequest request) => context.Kwargs["refuse"]?.GetValue<bool>() is true ? -1 : context.Replicas.Count - 1;
}

/// <summary>Not a routing policy, since it cannot be constructed.</summary>
public abstract class AbstractPicker : ReplicaPicker;
