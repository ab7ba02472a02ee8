namespace Serve.Stress;

/// <summary>Counts checks; tells the first failures as they come. Thread-safe.</summary>
internal sealed class Verdict
{
    private const int MostTold = 30;
    private int passed;
    private int failed;

    public int Passed => Volatile.Read(ref passed);

    public int Failed => Volatile.Read(ref failed);

    public void Check(bool isTrue, Func<string> failure)
    {
        if (isTrue)
            Interlocked.Increment(ref passed);
        else
            Fail(failure());
    }

    public void Fail(string what)
    {
        if (Interlocked.Increment(ref failed) <= MostTold)
            Console.WriteLine($"FAILED: {what}");
    }
}
