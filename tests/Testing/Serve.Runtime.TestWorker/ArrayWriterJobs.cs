namespace Serve.Runtime.TestWorker;

/// <summary>Tasks that write to their arguments.</summary>
public static partial class ArrayWriterJobs
{
    [Remote]
    public static double Write(double[] values, double value) => values[^1] = value;

    [Remote]
    public static int WriteInside(Holder holder) => holder.Values[1] = 5;

    [Remote]
    public static async Task<double> WriteLater(double[] values)
    {
        await Task.Yield();
        return values[0] = 1;
    }

    [Remote]
    public static double Read(double[] values) => values[0];

    [Remote]
    public static int Accept(Holder holder) => holder.Callback is null ? 1 : 0;

    public sealed class Holder
    {
        public int[] Values { get; init; } = [];

        public Action? Callback { get; init; }
    }
}

/// <summary>An actor that writes to its arguments.</summary>
[Remote]
public sealed class ArrayWriterActor(object? state = null)
{
    public bool HasState() => state is not null;

    public double Write(double[] values) => values[0] = 1;
}
