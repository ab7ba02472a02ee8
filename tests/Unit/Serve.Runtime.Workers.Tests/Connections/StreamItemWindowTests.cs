using Serve.Runtime.Workers.Connections;

namespace Serve.Runtime.Workers.Tests.Connections;

public sealed class StreamItemWindowTests
{
    [Fact]
    public async Task WaitAsync_AsManyAsFitAreOnTheirWay_WaitsUntilOneIsTaken()
    {
        var isForgotten = false;
        using (var window = new StreamItemWindow(2, () => isForgotten = true))
        {
            await window.WaitAsync(CancellationToken.None).SoonAsync();
            await window.WaitAsync(CancellationToken.None).SoonAsync();
            var third = window.WaitAsync(CancellationToken.None);
            Assert.False(third.IsCompleted);

            window.OnItemConsumed();

            await third.SoonAsync();
            Assert.False(isForgotten);
        }

        Assert.True(isForgotten);
    }
}
