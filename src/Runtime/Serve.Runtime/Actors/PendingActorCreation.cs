namespace Serve.Runtime;

/// <summary>Creation of an actor in progress; lets a concurrent stop cancel it and wait for its end.</summary>
internal sealed class PendingActorCreation(CancellationToken cancellationToken) : IDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CancellationToken Token => _source.Token;

    /// <summary>Cancels the creation and waits until it has succeeded or been undone.</summary>
    public async Task GiveUpAsync()
    {
        try
        {
            await _source.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The creation has ended already.
        }

        await _done.Task;
    }

    public void Dispose()
    {
        _source.Dispose();
        _done.TrySetResult();
    }
}
