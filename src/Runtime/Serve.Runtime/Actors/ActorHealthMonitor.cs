namespace Serve.Runtime;

/// <summary>
/// Runs the health checks of one actor. A check never waits behind calls, only for the turn that runs. If that turn takes the whole time limit, the actor is busy
/// at the first such check, and hung if the same turn still runs at the end of the next one.
/// </summary>
internal sealed class ActorHealthMonitor(ActorInstance instance, ActorTurnScheduler turns)
{
    private HealthCheckTurn? _last;

    /// <exception cref="UserCodeException">The check failed or timed out, or one turn has been running since before the previous check.</exception>
    public async Task CheckAsync(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var check = new HealthCheckTurn(instance, either.Token);
        var isStuck = Interlocked.Exchange(ref _last, check) is { HasBegun: false };
        try
        {
            await turns.RunUrgentAsync(check, static check => check.RunAsync()).AsTask().WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            if (check.HasBegun)
                throw new UserCodeException(new TimeoutException($"The health check did not complete within {timeout.TotalSeconds:0.###} s."));
            if (isStuck)
                throw new UserCodeException(new TimeoutException("The health check could not start: one turn has been running since before the previous health check."));
        }
        catch (Exception thrown) when (thrown is not UserCodeException && !cancellationToken.IsCancellationRequested)
        {
            throw new UserCodeException(thrown);
        }
    }

    /// <summary>The turn of one check. It also runs if the check has timed out before, as the mark that the turn before it has ended.</summary>
    private sealed class HealthCheckTurn(ActorInstance instance, CancellationToken token)
    {
        private volatile bool _hasBegun;

        public bool HasBegun => _hasBegun;

        public ValueTask RunAsync()
        {
            _hasBegun = true;
            return token.IsCancellationRequested ? ValueTask.CompletedTask : instance.CheckHealthAsync(token);
        }
    }
}
