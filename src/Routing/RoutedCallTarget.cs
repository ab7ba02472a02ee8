using System.Diagnostics;
using System.Runtime.CompilerServices;
using Serve.Calls;

namespace Serve.Routing;

/// <summary>Call target of a deployment: acquires a lease for each call, and sends the call to another replica if one refuses it.</summary>
/// <param name="table">The route table.</param>
/// <param name="deployment">Name of the deployment, or of an application for its ingress.</param>
/// <param name="application">Name of the application; null if <paramref name="deployment"/> is unambiguous.</param>
/// <param name="isSplit">Whether calls are split between the revisions of the application.</param>
internal sealed class RoutedCallTarget(RouteTable table, string deployment, string? application, bool isSplit = true) : ICallTarget, IBroadcastTarget
{
    private volatile ResolvedRouter? _resolved;

    /// <inheritdoc/>
    public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<TResult>(cancellationToken);
        if (isSplit && FindSplit() is { } split)
            return InvokeSplitAsync(split, call, context, cancellationToken);
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
        // The time to the first item is the latency; a stream that fails later is not counted as failed.
        var (lease, items, more) = isSplit && FindSplit() is { } split
            ? await RunSplitAsync(split, context, target => target.OpenAsync(call, context, cancellationToken), cancellationToken)
            : await OpenAsync(call, context, cancellationToken);
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

    private static ValueTask<TResult> InvokeSplitAsync<TResult>(ResolvedSplit split, MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
        RunSplitAsync(split, context, target => target.InvokeAsync(call, context, cancellationToken), cancellationToken);

    private static async ValueTask<TResult> RunSplitAsync<TResult>(
        ResolvedSplit split, CallContext context, Func<RoutedCallTarget, ValueTask<TResult>> run, CancellationToken cancellationToken)
    {
        var isCanary = split.Split.Takes(context.RoutingKey);
        var started = Stopwatch.GetTimestamp();
        try
        {
            TResult result;
            try
            {
                result = await run(isCanary ? split.Canary : split.Stable);
            }
            catch (Exception error) when (isCanary && error is NoSuchRouteException or NoReplicaException && !split.Canary.CanServe())
            {
                // The canary ended before the call reached a replica.
                isCanary = false;
                result = await run(split.Stable);
            }

            split.Split.Meter.Count(isCanary, isError: false, Stopwatch.GetElapsedTime(started));
            return result;
        }
        catch (Exception error)
        {
            if (!cancellationToken.IsCancellationRequested)
                split.Split.Meter.Count(isCanary, isError: error is not ServeException { StatusCode: < 500 }, Stopwatch.GetElapsedTime(started));
            throw;
        }
    }

    private bool CanServe() => application is not null && table.Current.CanServe(new(application, deployment));

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

    private DeploymentRouter FindRouter() => Resolve().Router;

    // An unknown deployment is reported when the call is routed.
    private ResolvedSplit? FindSplit()
    {
        var map = table.Current;
        if (_resolved is { } last && last.Map == map)
            return last.Split;
        try
        {
            return Resolve().Split;
        }
        catch (NoSuchRouteException)
        {
            return null;
        }
    }

    private ResolvedRouter Resolve()
    {
        var map = table.Current;
        if (_resolved is { } last && last.Map == map)
            return last;
        var router = map.FindDeployment(deployment, application);
        var split = isSplit && map.FindSplit(router.Id) is { } found
            ? new ResolvedSplit(found, new(table, router.Id.Name, router.Id.Application, isSplit: false), new(table, router.Id.Name, found.Route.Application, isSplit: false))
            : null;
        var resolved = new ResolvedRouter(map, router, split);
        _resolved = resolved;
        return resolved;
    }

    private sealed record ResolvedRouter(DeploymentRouteMap Map, DeploymentRouter Router, ResolvedSplit? Split);

    private sealed record ResolvedSplit(CanarySplit Split, RoutedCallTarget Stable, RoutedCallTarget Canary);
}
