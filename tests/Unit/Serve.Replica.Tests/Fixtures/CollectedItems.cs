namespace Serve.Replica.Tests.Fixtures;

/// <summary>Collects garbage until something has become true, a bounded number of times.</summary>
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
