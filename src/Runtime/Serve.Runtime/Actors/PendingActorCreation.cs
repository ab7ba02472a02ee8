namespace Serve.Runtime;

/// <summary>An actor that is being made, so that a stop which arrives meanwhile neither misses it nor overtakes it. Written by its creator, cancelled by anyone.</summary>
internal sealed class PendingActorCreation(CancellationToken cancellationToken) : IDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CancellationToken Token => _source.Token;

    /// <summary>Gives it up and waits until it has succeeded or been undone.</summary>
    public async Task GiveUpAsync()
    {
        try
        {
            await _source.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It was done first.
        }

        await _done.Task;
    }

    public void Dispose()
    {
        _source.Dispose();
        _done.TrySetResult();
    }
}
