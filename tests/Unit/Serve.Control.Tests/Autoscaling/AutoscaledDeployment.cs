using Serve.Control.Autoscaling;
using Serve.Specs;

namespace Serve.Control.Tests.Autoscaling;

/// <summary>One autoscaled deployment on virtual time whose replicas start and stop at once.</summary>
internal sealed class AutoscaledDeployment(AutoscalingSpec spec, int target)
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public DateTimeOffset Now { get; set; } = Start;

    public double Elapsed => (Now - Start).TotalSeconds;

    public int Target { get; private set; } = target;

    public AutoscalingState State { get; private set; } = AutoscalingState.Initial;

    public DateTimeOffset? NextWakeUp { get; private set; }

    public int Load { get; private set; }

    public int Decisions { get; private set; }

    public List<(double At, int Target)> Changes { get; } = [];

    /// <summary>Sets the load and decides.</summary>
    public AutoscaledDeployment Set(int load, bool isActive = false, bool isWoken = false)
    {
        Load = load;
        Decide(isActive, isWoken);
        return this;
    }

    /// <summary>Advances the time, deciding whenever a decision is due.</summary>
    public AutoscaledDeployment Run(double seconds)
    {
        var until = Now.AddSeconds(seconds);
        while (NextWakeUp is { } next && next <= until)
        {
            Now = next > Now ? next : Now;
            Decide();
        }

        Now = until;
        Decide();
        return this;
    }

    private void Decide(bool isActive = false, bool isWoken = false)
    {
        Decisions++;
        var ongoing = DeploymentLoad.None.Ongoing;
        var result = AutoscalingPolicy.Decide(
            new()
            {
                Spec = spec,
                MinReplicas = spec.MinReplicas,
                MaxReplicas = spec.MaxReplicas,
                Target = Target,
                Running = Target,
                Load = new(Target == 0 ? Load : 0, Target == 0 || Load == 0 ? ongoing : ongoing.Add("r", Load), isActive),
                IsWoken = isWoken,
            },
            State,
            Now);
        (State, NextWakeUp) = (result.State, result.NextWakeUp);
        Assert.InRange(result.Target, spec.MinReplicas, spec.MaxReplicas);
        Assert.True(NextWakeUp is null || NextWakeUp > Now, "A decision is due in the future.");
        Assert.NotEmpty(State.Reason);
        if (result.Target != Target)
            Changes.Add((Elapsed, result.Target));
        Target = result.Target;
    }
}
