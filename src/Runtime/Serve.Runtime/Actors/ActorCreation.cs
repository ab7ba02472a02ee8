namespace Serve.Runtime;

/// <summary>An actor that is being made, so that a stop which arrives meanwhile neither misses it nor overtakes it. Written by its creator, cancelled by anyone.</summary>
internal sealed class ActorCreation(CancellationToken cancellationToken) : IDisposable
{
    private readonly CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CancellationToken Token => source.Token;

    /// <summary>Gives it up and waits until it has succeeded or been undone.</summary>
    public async Task GiveUpAsync()
    {
        try
        {
            await source.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // It was done first.
        }

        await done.Task;
    }

    public void Dispose()
    {
        source.Dispose();
        done.TrySetResult();
    }
}
