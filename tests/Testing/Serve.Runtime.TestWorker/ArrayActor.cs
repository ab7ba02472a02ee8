namespace Serve.Runtime.TestWorker;

/// <summary>An actor that is made of a large array.</summary>
[Remote]
public sealed class ArrayActor(double[] values)
{
    public int Length(double[] more) => values.Length + more.Length;
}
