using System.Text.Json;
using Microsoft.Extensions.Logging;
using Serve.Control.Autoscaling;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Controller.Applications;
using Serve.Controller.Metrics;
using Serve.Specs;

namespace Serve.Controller.Loop;

/// <summary>
/// Runs the autoscaling policies of users when they are due, outside of the control loop and one call of each at a time, and reports their results. Called by the control loop alone.
/// </summary>
internal sealed partial class AutoscalingPolicyRunner(IAutoscalingPolicyLoader? loader, Func<ControlObservation, ValueTask> report, ControllerMetrics metrics, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);
    private readonly Dictionary<PolicyKey, PolicyRun> _runs = [];

    /// <summary>Starts the policies that are due.</summary>
    /// <returns>When the next one is due; null if there are no policies.</returns>
    public DateTimeOffset? RunDue(DesiredState desired, ObservedState observed, DateTimeOffset now)
    {
        DateTimeOffset? next = null;
        HashSet<PolicyKey> used = [];
        foreach (var application in desired.IsStopping ? [] : desired.Applications.Values.Where(application => !application.IsDeleting))
        {
            foreach (var (key, deployments) in PoliciesOf(application))
            {
                used.Add(key);
                var interval = TimeSpan.FromSeconds(deployments.Min(deployment => deployment.Spec.Autoscaling!.MetricsIntervalS));
                if (!_runs.TryGetValue(key, out var run))
                    _runs[key] = run = new();
                if (run.DueAt <= now || run.DueAt > now + interval)
                {
                    run.DueAt = now + interval;
                    if (run.Work.IsCompleted)
                        run.Work = Task.Run(() => RunAsync(run, key, application.Requested.Package, ContextsOf(application, deployments, observed, now)), CancellationToken.None);
                }

                next = next < run.DueAt ? next : run.DueAt;
            }
        }

        foreach (var key in _runs.Keys.Except(used).ToList())
        {
            _runs.Remove(key, out var ended);
            _ = ended!.Work.ContinueWith(_ => ended.Loaded?.Lease.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        return next;
    }

    private static IEnumerable<(PolicyKey Key, List<DeploymentRevision> Deployments)> PoliciesOf(DesiredApplication application)
    {
        var deployments = application.Requested.Deployments.Values.Where(application.IsAutoscaled).ToList();
        if (application.Requested.Config.AutoscalingPolicy is { } shared && deployments.Count > 0)
            yield return (KeyOf(application, null, shared), deployments);
        else
        {
            foreach (var deployment in deployments)
            {
                if (deployment.Spec.Autoscaling!.Policy is { } own)
                    yield return (KeyOf(application, deployment.Spec.Name, own), [deployment]);
            }
        }
    }

    private static PolicyKey KeyOf(DesiredApplication application, string? deployment, AutoscalingPolicySpec policy) =>
        new(application.Name, deployment, application.Requested.Package.Hash, policy.PolicyClass, policy.PolicyKwargs?.ToJsonString());

    private static Dictionary<string, AutoscalingContext> ContextsOf(DesiredApplication application, List<DeploymentRevision> deployments, ObservedState observed, DateTimeOffset now) =>
        deployments.ToDictionary(deployment => deployment.Spec.Name, deployment =>
        {
            var (id, settings) = (new DeploymentId(application.Name, deployment.Spec.Name), deployment.Spec.Autoscaling!);
            var load = observed.LoadOf(id);
            return new AutoscalingContext
            {
                Deployment = id,
                Settings = settings,
                TargetReplicas = application.TargetOf(deployment).Replicas,
                RunningReplicas = observed.CountRunning(id),
                QueuedRequests = load.Queued,
                OngoingRequests = load.Ongoing,
                TotalRequests = observed.Autoscaling.GetValueOrDefault(id, AutoscalingState.Initial).History
                    .Aggregate(settings.AggregationFunction, now, TimeSpan.FromSeconds(settings.LookBackPeriodS)),
                ReplicaMetrics = observed.MetricsOf(id),
                Now = now,
            };
        });

    private async Task RunAsync(PolicyRun run, PolicyKey key, ApplicationPackage package, Dictionary<string, AutoscalingContext> contexts)
    {
        IReadOnlyDictionary<string, AutoscalingDecision>? decisions = null;
        string? error = null;
        var started = time.GetTimestamp();
        var deciding = Task.Run(() => Decide(run, key, package, contexts));
        try
        {
            decisions = await deciding.WaitAsync(TimeLimit, time);
        }
        catch (TimeoutException)
        {
            error = $"autoscaling policy {key.PolicyClass} has not returned within {TimeLimit.TotalSeconds} s";
        }
        catch (Exception thrown)
        {
            error = $"autoscaling policy {key.PolicyClass} failed: {thrown.Message}";
            Log.PolicyFailed(logger, key.PolicyClass, key.Application, thrown);
        }

        foreach (var context in contexts.Values)
        {
            metrics.PolicyCalled(context.Deployment, time.GetElapsedTime(started), isShared: key.Deployment is null);
            await report(new ControlObservation.PolicyReturned(context.Deployment, error is not null
                ? new(null, error, IsError: true)
                : decisions!.TryGetValue(context.Deployment.Name, out var decision) ? ResultOf(key, decision) : new(null, "the policy of the application keeps the number of replicas")));
        }

        // No second call while the first one runs.
        await ((Task)deciding).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static PolicyResult ResultOf(PolicyKey key, AutoscalingDecision? decision) => decision is { Replicas: >= 0, Reason: not null }
        ? new(decision.Replicas, decision.Reason.Length > 0 ? decision.Reason : $"decided by {key.PolicyClass}")
        : new(null, $"autoscaling policy {key.PolicyClass} must return at least 0 replicas and a reason, but returned {decision?.ToString() ?? "null"}", IsError: true);

    private IReadOnlyDictionary<string, AutoscalingDecision> Decide(PolicyRun run, PolicyKey key, ApplicationPackage package, Dictionary<string, AutoscalingContext> contexts)
    {
        run.Loaded ??= (loader ?? throw new DefinitionException("This node cannot run policies of users.")).Load(package, new()
        {
            PolicyClass = key.PolicyClass,
            PolicyKwargs = key.Arguments is { } json ? JsonSerializer.Deserialize<System.Text.Json.Nodes.JsonObject>(json) : null,
        });
        return run.Loaded.Policy switch
        {
            IApplicationAutoscalingPolicy shared when key.Deployment is null => shared.Decide(contexts) ?? new Dictionary<string, AutoscalingDecision>(),
            IAutoscalingPolicy own when key.Deployment is not null => contexts.ToDictionary(pair => pair.Key, pair => own.Decide(pair.Value)),
            _ => throw new DefinitionException($"{key.PolicyClass} must implement {(key.Deployment is null ? nameof(IApplicationAutoscalingPolicy) : nameof(IAutoscalingPolicy))}."),
        };
    }

    private sealed record PolicyKey(string Application, string? Deployment, string PackageHash, string PolicyClass, string? Arguments);

    private sealed class PolicyRun
    {
        public DateTimeOffset DueAt { get; set; } = DateTimeOffset.MinValue;

        public Task Work { get; set; } = Task.CompletedTask;

        public LoadedAutoscalingPolicy? Loaded { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(3033, LogLevel.Warning, "Autoscaling policy {Policy} of application {Application} failed; the numbers of replicas are kept")]
        public static partial void PolicyFailed(ILogger logger, string policy, string application, Exception error);
    }
}
