namespace Serve.Runtime.Scheduling;

/// <summary>Lasting reservations that wait for free resources. Stateless.</summary>
public static class LedgerReservation
{
    /// <summary>Reserves resources of the first ledger that has enough free; waits until one has.</summary>
    /// <param name="find">Returns the ledgers, best first; called again after each release, because nodes may have joined or left.</param>
    /// <param name="demand">The resources.</param>
    /// <param name="onWaiting">Receives the ledgers that it waits for, and null when it has a reservation.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="InsufficientResourcesException">No ledger can ever grant the demand.</exception>
    public static async Task<(ResourceLedger Ledger, ResourceAllocation Allocation)> ReserveAsync(
        Func<ResourceLedger[]> find, ResourceDemand demand, Action<ResourceLedger[]?> onWaiting, CancellationToken cancellationToken)
    {
        while (true)
        {
            var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            void OnReleased() => released.TrySetResult();
            var ledgers = find();
            foreach (var ledger in ledgers)
                ledger.Released += OnReleased;
            try
            {
                foreach (var ledger in ledgers)
                {
                    if (!TryReserve(ledger, demand, out var allocation))
                        continue;
                    onWaiting(null);
                    return (ledger, allocation!);
                }

                if (Array.Exists(ledgers, static ledger => ledger.IsClosedForGood))
                    continue;
                onWaiting(ledgers);
                await released.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                foreach (var ledger in ledgers)
                    ledger.Released -= OnReleased;
            }
        }
    }

    private static bool TryReserve(ResourceLedger ledger, ResourceDemand demand, out ResourceAllocation? allocation)
    {
        try
        {
            return ledger.TryReserve(demand, out allocation, isLasting: true);
        }
        catch (InsufficientResourcesException) when (ledger.IsClosedForGood)
        {
            // Its node has just left, or its bundle has a new ledger.
            allocation = null;
            return false;
        }
    }
}
