using Serve.Calls;

namespace Serve.Routing;

/// <summary>The part of a broadcast call that one replica answers, whatever its load: a replica at its limit is called again until it accepts the call or the deadline passes.</summary>
internal sealed class ReplicaBroadcast(DeploymentRouter router, ReplicaSlot slot, TimeProvider time)
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(10);

    public async Task<ReplicaResult<TResult>> CallAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        using var deadline = context.Urgency.RemainingTime(time) is { } remaining ? new CancellationTokenSource(remaining, time) : new CancellationTokenSource();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            return new(slot.ReplicaId, await CallWhenAcceptedAsync(call, context, stop.Token));
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new(slot.ReplicaId, new RequestTimeoutException("The replica did not answer before the deadline of the call."));
        }
        catch (CallRefusedException gone)
        {
            return new(slot.ReplicaId, new ReplicaDiedException($"Replica {slot.ReplicaId} has stopped.", gone));
        }
        catch (ServeException error)
        {
            return new(slot.ReplicaId, error);
        }
    }

    private async Task<TResult> CallWhenAcceptedAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            slot.Enter();
            var lease = new ReplicaLease(router, slot);
            try
            {
                // A method that ignores its token must not hold the results of the others.
                var result = await slot.Target.InvokeAsync(call, context, cancellationToken).AsTask().WaitAsync(cancellationToken);
                lease.Release();
                return result;
            }
            catch (CallRefusedException refusal)
            {
                lease.Refuse(refusal.Gone);
                if (refusal.Gone)
                    throw;
            }
            catch (Exception error)
            {
                lease.Fail(error);
                throw;
            }

            await Task.Delay(RetryInterval, time, cancellationToken);
        }
    }
}
