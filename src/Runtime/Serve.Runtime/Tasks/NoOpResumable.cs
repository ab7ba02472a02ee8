namespace Serve.Runtime.Tasks;

/// <summary>Code that goes on by itself when what it waited for is there; its CPU is reserved again as soon as one is free. Holds no state.</summary>
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
