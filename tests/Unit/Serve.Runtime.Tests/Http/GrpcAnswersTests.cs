using Microsoft.AspNetCore.Http;
using Serve.Runtime.RawGrpc;

namespace Serve.Runtime.Tests.Http;

public sealed class GrpcAnswersTests
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
    public void TimeLimit_AsTheClientSays(string header, long? ticks)
    {
        var context = new DefaultHttpContext();
        if (header.Length > 0)
            context.Request.Headers["grpc-timeout"] = header;
        Assert.Equal(ticks, GrpcAnswers.TimeLimit(context.Request)?.Ticks);
    }

    [Fact]
    public async Task Run_Throws_OnlyWhatIsTheServersFaultIsForItsLog()
    {
        await EndsAsync("13", isLogged: true, new InvalidOperationException("why"));
        await EndsAsync("13", isLogged: false, new GrpcException(GrpcStatus.Internal, "why"));
        await EndsAsync("3", isLogged: false, new BadInputException("why"));

        static async Task EndsAsync(string status, bool isLogged, Exception thrown)
        {
            var context = new DefaultHttpContext();
            Assert.Equal(isLogged ? thrown : null, await GrpcAnswers.RunAsync(context, _ => throw thrown, TimeProvider.System));
            Assert.Equal(status, context.Response.Headers["grpc-status"]);
            Assert.Equal("why", context.Response.Headers["grpc-message"]);
        }
    }
}
