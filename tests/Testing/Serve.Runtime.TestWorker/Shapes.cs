namespace Serve.Runtime.TestWorker;

/// <summary>Remote functions that are called from inside a worker.</summary>
public static class Shapes
{
    [Remote]
    public static (int Quotient, string Remainder) DivMod(int a, int b) => (a / b, $"{a % b}");

    [Remote]
    public static async Task<string> Apart(Cluster ray, int a, int b)
    {
        ArgumentNullException.ThrowIfNull(ray);
        var (quotient, remainder) = ray.Shapes.DivMod.Remote(a, b);
        return await ray.Shapes.Join.Remote(quotient, remainder);
    }

    [Remote]
    public static string Join(int a, string b, string between = ":") => $"{a}{between}{b}";

    [Remote]
    public static async Task<int> Lambdas(Cluster ray, int captured)
    {
        ArgumentNullException.ThrowIfNull(ray);
        try
        {
            return await ray.Run(() => captured);
        }
        catch (NotSerializableException)
        {
            return await ray.Run(static x => 2 * x, captured);
        }
    }

    [Remote]
    public static int Pid() => Environment.ProcessId;
}
