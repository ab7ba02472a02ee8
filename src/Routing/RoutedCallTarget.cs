using System.Runtime.CompilerServices;
using Serve.Calls;

namespace Serve.Routing;

/// <summary>Call target of a deployment: acquires a lease for each call, and sends the call to another replica if one refuses it.</summary>
/// <param name="table">The route table.</param>
/// <param name="deployment">Name of the deployment, or of an application for its ingress.</param>
/// <param name="application">Name of the application; null if <paramref name="deployment"/> is unambiguous.</param>
internal sealed class RoutedCallTarget(RouteTable table, string deployment, string? application) : ICallTarget, IBroadcastTarget
{
    private volatile ResolvedRouter? _resolved;

    /// <inheritdoc/>
    public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<TResult>(cancellationToken);
        ReplicaLease lease = default;
        var leased = false;
        try
        {
            // Without await, so that a call that completes synchronously allocates nothing here.
            leased = FindRouter().TryAcquire(RequestOf(context), out lease);
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

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<ReplicaResult<TResult>>> BroadcastAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        var router = FindRouter();
        return await Task.WhenAll(router.Replicas.Select(slot => BroadcastAsync(new ReplicaBroadcast(router, slot, table.Time), call, context, cancellationToken)));

        static async Task<ReplicaResult<TResult>> BroadcastAsync(ReplicaBroadcast replica, MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
        {
            // Off this thread: synchronous code of one replica must not delay the calls of the others.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return await replica.CallAsync(call, context, cancellationToken);
        }
    }

    private async ValueTask<TResult> InvokeQueuedAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        var lease = await FindRouter().AcquireAsync(RequestOf(context), cancellationToken);
        return await RunAsync(lease, call, context, cancellationToken);
    }

    private async ValueTask<TResult> RetryAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        var lease = await FindRouter().ReacquireAsync(RequestOf(context), cancellationToken);
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

            lease = await FindRouter().ReacquireAsync(RequestOf(context), cancellationToken);
        }
    }

    private async ValueTask<(ReplicaLease Lease, IAsyncEnumerator<TItem> Items, bool More)> OpenAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken)
    {
        var lease = await FindRouter().AcquireAsync(RequestOf(context), cancellationToken);
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

            lease = await FindRouter().ReacquireAsync(RequestOf(context), cancellationToken);
        }
    }

    private static RoutingRequest RequestOf(CallContext context) => new() { Key = context.RoutingKey, MultiplexedModelId = context.MultiplexedModelId, Urgency = context.Urgency };

    private DeploymentRouter FindRouter()
    {
        var map = table.Current;
        if (_resolved is { } last && last.Map == map)
            return last.Router;
        var router = map.FindDeployment(deployment, application);
        _resolved = new ResolvedRouter(map, router);
        return router;
    }

    private sealed record ResolvedRouter(DeploymentRouteMap Map, DeploymentRouter Router);
}
