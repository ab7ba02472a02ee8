namespace Serve.Core.Tests;

/// <summary>A library's remote functions, called through the generated members of any cluster.</summary>
public static class Arithmetic
{
    [Remote]
    public static int Square(int value) => value * value;

    [Remote]
    public static async Task<int> AddAsync(int left, int right)
    {
        await Task.Yield();
        return left + right;
    }

    [Remote]
    public static (int Quotient, int Remainder) DivMod(int dividend, int divisor) => (dividend / divisor, dividend % divisor);

    [Remote]
    public static async IAsyncEnumerable<int> Count(int until)
    {
        for (var i = 0; i < until; i++)
        {
            await Task.Yield();
            yield return i;
        }
    }

    [Remote]
    public static int Fail() => throw new InvalidOperationException("failed on purpose");
}

/// <summary>A library's actor.</summary>
/// <param name="start">The first value.</param>
[Remote]
public sealed class Tally(int start)
{
    private int _value = start;

    public int Add(int amount) => _value += amount;
}
