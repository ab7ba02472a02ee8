namespace Serve.Replica.Tests.Fixtures;

/// <summary>Collects garbage until a condition holds, a bounded number of times.</summary>
public static class CollectedItems
{
    public static void UntilTrue(Func<bool> condition)
    {
        for (var round = 0; round < 20 && !condition(); round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.True(condition());
    }
}
