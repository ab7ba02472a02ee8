using Serve.Control;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Controller.Applications;

namespace Serve.Controller.Loop;

/// <summary>Input of the control loop: an observation or a requested change.</summary>
internal abstract record ControlEvent
{
    private ControlEvent()
    {
    }

    /// <summary>Triggers a decision: a timer expired or the nodes have changed.</summary>
    public sealed record Tick : ControlEvent
    {
        public static Tick Instance { get; } = new();
    }

    /// <summary>Something was observed.</summary>
    public sealed record ObservationReceived(ControlObservation Observation) : ControlEvent;

    /// <summary>A change of the desired state was requested; the caller waits until it is stored.</summary>
    public abstract record ChangeRequest : ControlEvent
    {
        private readonly TaskCompletionSource<bool> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes once the change is stored and decided on, with whether it changed anything. Fails if the request is invalid.</summary>
        public Task<bool> Answer => _answer.Task;

        public void Succeed(bool changed) => _answer.TrySetResult(changed);

        public void Fail(Exception error) => _answer.TrySetException(error);
    }

    /// <summary>Deploys applications; with <paramref name="IsWhole"/>, deletes all others and sets the target capacity.</summary>
    public sealed record DeployApplications(IReadOnlyList<PreparedApplication> Applications, bool IsWhole, double? TargetCapacity = null) : ChangeRequest;

    /// <summary>Ends the canary of an application, and deploys an earlier revision again; null for the last good one, or to end the canary only.</summary>
    public sealed record RollBackApplication(string Application, long? Revision) : ChangeRequest;

    /// <summary>Lets the canary of an application replace its stable revision.</summary>
    public sealed record PromoteCanary(string Application) : ChangeRequest;

    /// <summary>Changes the share of an application's canary.</summary>
    public sealed record ChangeCanaryShare(string Application, double Percent) : ChangeRequest;

    /// <summary>Deletes an application; null for all.</summary>
    public sealed record DeleteApplications(string? Application) : ChangeRequest;

    /// <summary>Changes the replica target of a deployment; with <paramref name="IsScale"/>, to a number of the caller.</summary>
    public sealed record ChangeReplicaTarget(DeploymentId Deployment, Func<ReplicaTarget, ReplicaTarget> Change, bool IsScale = false) : ChangeRequest;

    /// <summary>Drains and stops all replicas; the stored state is kept.</summary>
    public sealed record StopAllReplicas : ChangeRequest;
}

/// <summary>Immutable state of the controller at one moment, for readers outside of the loop.</summary>
internal sealed record ControllerStateView(DesiredState Desired, ObservedState Observed, ReconciliationPlan Plan);
