using System.Runtime.CompilerServices;
using Serve.Calls;

namespace Serve.Routing;

/// <summary>A deployment as something to call: each call is looked up, given a lease, and sent elsewhere when its replica refuses it.</summary>
/// <param name="table">Where deployments are looked up.</param>
/// <param name="deployment">The deployment's or the application's name.</param>
/// <param name="application">The application's name; null when the first says enough.</param>
internal sealed class RoutedCallTarget(RouteTable table, string deployment, string? application) : ICallTarget
{
    private volatile ResolvedRouter? _found;

    /// <inheritdoc/>
    public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<TResult>(cancellationToken);
        ReplicaLease lease = default;
        var leased = false;
        try
        {
            // Without an await, so that a call that is done at once allocates nothing here.
            leased = Router().TryAcquire(context.MultiplexedModelId, out lease);
            if (!leased)
                return InvokeQueuedAsync(call, context, cancellationToken);
            var pending = lease.Slot.Target.InvokeAsync(call, context, cancellationToken);
            if (!pending.IsCompletedSuccessfully)
                return FinishAsync(lease, pending, call, context, cancellationToken);
            var result = pending.Result;
            lease.Release();
            return new(result);
        }
        catch (CallRefusedException refusal) when (leased)
        {
            lease.Refuse(refusal.Gone);
            return RetryAsync(call, context, cancellationToken);
        }
        catch (Exception error)
        {
            if (leased)
                lease.Fail(error);
            return ValueTask.FromException<TResult>(error);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (lease, items, more) = await OpenAsync(call, context, cancellationToken);
        try
        {
            await using (items)
            {
                while (more)
                {
                    yield return items.Current;
                    more = await items.MoveNextAsync();
                }
            }
        }
        finally
        {
            lease.Release();
        }
    }

    private async ValueTask<TResult> InvokeQueuedAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        var lease = await Router().AcquireAsync(context.MultiplexedModelId, cancellationToken);
        return await RunAsync(lease, call, context, cancellationToken);
    }

    private async ValueTask<TResult> RetryAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        var lease = await Router().ReacquireAsync(context.MultiplexedModelId, cancellationToken);
        return await RunAsync(lease, call, context, cancellationToken);
    }

    private async ValueTask<TResult> FinishAsync<TResult>(
        ReplicaLease lease, ValueTask<TResult> pending, MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        bool gone;
        try
        {
            var result = await pending;
            lease.Release();
            return result;
        }
        catch (CallRefusedException refusal)
        {
            gone = refusal.Gone;
        }
        catch (Exception error)
        {
            lease.Fail(error);
            throw;
        }

        lease.Refuse(gone);
        return await RetryAsync(call, context, cancellationToken);
    }

    private async ValueTask<TResult> RunAsync<TResult>(ReplicaLease lease, MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var result = await lease.Slot.Target.InvokeAsync(call, context, cancellationToken);
                lease.Release();
                return result;
            }
            catch (CallRefusedException refusal)
            {
                lease.Refuse(refusal.Gone);
            }
            catch (Exception error)
            {
                lease.Fail(error);
                throw;
            }

            lease = await Router().ReacquireAsync(context.MultiplexedModelId, cancellationToken);
        }
    }

    private async ValueTask<(ReplicaLease Lease, IAsyncEnumerator<TItem> Items, bool More)> OpenAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken)
    {
        var lease = await Router().AcquireAsync(context.MultiplexedModelId, cancellationToken);
        while (true)
        {
            IAsyncEnumerator<TItem>? items = null;
            try
            {
                items = lease.Slot.Target.StreamAsync(call, context, cancellationToken).GetAsyncEnumerator(cancellationToken);
                // A replica refuses before the first item or not at all.
                return (lease, items, await items.MoveNextAsync());
            }
            catch (Exception error)
            {
                if (items is not null)
                    await items.DisposeAsync();
                if (error is not CallRefusedException refusal)
                {
                    lease.Release();
                    throw;
                }

                lease.Refuse(refusal.Gone);
            }

            lease = await Router().ReacquireAsync(context.MultiplexedModelId, cancellationToken);
        }
    }

    private DeploymentRouter Router()
    {
        var map = table.Current;
        if (_found is { } last && last.Map == map)
            return last.Router;
        var router = map.FindDeployment(deployment, application);
        _found = new ResolvedRouter(map, router);
        return router;
    }

    private sealed record ResolvedRouter(DeploymentRouteMap Map, DeploymentRouter Router);
}
