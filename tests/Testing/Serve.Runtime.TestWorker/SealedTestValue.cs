namespace Serve.Runtime.TestWorker;

/// <summary>What only a serializer of its own can carry.</summary>
public sealed class SealedTestValue
{
    private int hidden;

    public static SealedTestValue Of(int number) => new() { hidden = number };

    public int Reveal() => hidden;
}
