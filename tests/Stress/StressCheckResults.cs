namespace Serve.Stress;

/// <summary>Counts checks and prints the first failures immediately. Thread-safe.</summary>
internal sealed class StressCheckResults
{
    private const int MostTold = 30;
    private int _passed;
    private int _failed;

    public int Passed => Volatile.Read(ref _passed);

    public int Failed => Volatile.Read(ref _failed);

    public void Check(bool isTrue, Func<string> failure)
    {
        if (isTrue)
            Interlocked.Increment(ref _passed);
        else
            Fail(failure());
    }

    public void Fail(string what)
    {
        if (Interlocked.Increment(ref _failed) <= MostTold)
            Console.WriteLine($"FAILED: {what}");
    }
}
