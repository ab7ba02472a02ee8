using System.Runtime.CompilerServices;

namespace Serve.Runtime.Tests.Functions;

/// <summary>Remote functions with all kinds of signatures.</summary>
public static partial class Demo
{
    [Remote]
    public static double[] GenerateData() => [1, 2, 3];

    [Remote]
    public static double[] Aggregate(double[] x, double[] y) => [.. x.Zip(y, (a, b) => a + b)];

    [Remote(NumCpus = 0.5, MaxRetries = 0, Resources = "tpu=1, disk=0.5", RetryOn = [typeof(IOException)], Isolation = Isolation.None)]
    public static async Task<int> Add(int a, int b = 10)
    {
        await Task.Yield();
        return a + b;
    }

    [Remote]
    public static ValueTask<string?> Describe(object? value, string? text) => new($"{value ?? "null"} {text ?? "null"}");

    [Remote]
    public static void Nothing()
    {
    }

    [Remote]
    public static Task NothingLater() => Task.CompletedTask;

    [Remote]
    public static double Sum(IEnumerable<double> values, IReadOnlyList<double> more, double start = 1) => start + values.Sum() + more.Sum();

    [Remote]
    public static double Total(IEnumerable<double> values) => values.Sum();

    [Remote]
    internal static (int Quotient, int Remainder) DivMod(int a, int b) => (a / b, a % b);

    [Remote]
    public static bool Supplied(Cluster cluster, int a, CancellationToken stop) => cluster == Cluster.Current && a == 1 && !stop.IsCancellationRequested;

    [Remote]
    public static int Rest(int first, params int[] rest) => first + rest.Sum();

    [Remote]
    public static int Fail(string message) => throw new InvalidOperationException(message);

    [Remote]
    public static async IAsyncEnumerable<int> Count(int to, [EnumeratorCancellation] CancellationToken stop = default)
    {
        for (var i = 0; i < to; i++)
        {
            await Task.Yield();
            stop.ThrowIfCancellationRequested();
            yield return i;
        }
    }
}
