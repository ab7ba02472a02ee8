using Serve.Control;

namespace Serve.Controller;

/// <summary>What the control loop is told: something learnt, or something asked for.</summary>
internal abstract record ControlEvent
{
    private ControlEvent()
    {
    }

    /// <summary>Time has come to look again.</summary>
    public sealed record Tick : ControlEvent
    {
        public static Tick Instance { get; } = new();
    }

    /// <summary>Something was learnt.</summary>
    public sealed record ObservationReceived(ControlObservation Observation) : ControlEvent;

    /// <summary>Somebody asked for a change, and waits for it to be stored.</summary>
    public abstract record ChangeRequest : ControlEvent
    {
        private readonly TaskCompletionSource<bool> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes once it is stored and decided about; whether it changed anything. Fails with what is wrong with it.</summary>
        public Task<bool> Answer => _answer.Task;

        public void Succeed(bool changed) => _answer.TrySetResult(changed);

        public void Fail(Exception error) => _answer.TrySetException(error);
    }

    /// <summary>Applications are to run; with <paramref name="IsWhole"/> all others are to go.</summary>
    public sealed record DeployApplications(IReadOnlyList<PreparedApplication> Applications, bool IsWhole) : ChangeRequest;

    /// <summary>An application is to go; null for all.</summary>
    public sealed record DeleteApplications(string? Application) : ChangeRequest;

    /// <summary>A deployment is to have so many replicas.</summary>
    public sealed record ScaleDeployment(DeploymentId Deployment, int Replicas) : ChangeRequest;

    /// <summary>Everything is to be drained, nothing forgotten.</summary>
    public sealed record StopAllReplicas : ChangeRequest;
}
