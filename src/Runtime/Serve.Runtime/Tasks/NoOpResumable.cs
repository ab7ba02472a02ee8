namespace Serve.Runtime.Tasks;

/// <summary>Waiter that needs no resumption because its code continues by itself; its CPU is reacquired as soon as one is free.</summary>
internal sealed class NoOpResumable : IResumable
{
    public static readonly NoOpResumable On = new();

    private NoOpResumable()
    {
    }

    public void Resume()
    {
    }
}
