namespace Serve.Runtime.TestWorker;

/// <summary>Functions that tests run as tasks, in this process and in workers.</summary>
public static partial class Jobs
{
    [Remote]
    public static int Add(int a, int b) => a + b;

    [Remote]
    public static int Pid() => Environment.ProcessId;

    [Remote]
    public static void Nothing()
    {
    }

    [Remote]
    public static double[] Scale(double[] values, double factor) => [.. values.Select(value => value * factor)];

    [Remote]
    public static async Task<string> Later(string text)
    {
        await Task.Yield();
        return text + "!";
    }

    [Remote]
    public static int Fail(string message) => throw new InvalidOperationException(message);

    [Remote(MaxRetries = 0)]
    public static int Crash() => throw new System.Diagnostics.UnreachableException(Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)
        + Exit());

    private static string Exit()
    {
        Environment.Exit(7);
        return "";
    }
}
