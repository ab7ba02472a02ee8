using Microsoft.AspNetCore.Http;
using Serve.Inference.Grpc;

namespace Serve.Inference.Tests;

public sealed class ModelCallRouterTests
{
    [Theory]
    [InlineData("2H", 2 * TimeSpan.TicksPerHour)]
    [InlineData("3M", 3 * TimeSpan.TicksPerMinute)]
    [InlineData("4S", 4 * TimeSpan.TicksPerSecond)]
    [InlineData("5m", 5 * TimeSpan.TicksPerMillisecond)]
    [InlineData("6u", 6 * TimeSpan.TicksPerMicrosecond)]
    [InlineData("700n", 7L)]
    [InlineData("0m", 0L)]
    [InlineData("99999999m", 99999999 * TimeSpan.TicksPerMillisecond)]
    [InlineData("99999999H", null)]
    [InlineData("123456789m", null)]
    [InlineData("5", null)]
    [InlineData("m", null)]
    [InlineData("-5m", null)]
    [InlineData("5 m", null)]
    [InlineData("5x", null)]
    [InlineData("", null)]
    public void ReadTimeout_Header_IsParsed(string header, long? ticks)
    {
        var context = new DefaultHttpContext();
        if (header.Length > 0)
            context.Request.Headers["grpc-timeout"] = header;
        Assert.Equal(ticks, ModelCallRouter.ReadTimeout(context.Request)?.Ticks);
    }
}
