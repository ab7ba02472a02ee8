using Microsoft.Extensions.Logging;
using Serve.Cli.Hosting;

namespace Serve.Cli.Tests.Hosting;

public sealed class LineLoggerProviderTests
{
    [Theory]
    [InlineData(false, "^[0-9]{2}:[0-9]{2}:[0-9]{2} warn Test: ")]
    [InlineData(true, "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z warn Test: ")]
    public void Log_ValuesOfARequest_CannotForgeLines(bool hasDate, string head)
    {
        using var output = new StringWriter();
        using var provider = new LineLoggerProvider(output, TimeProvider.System, hasDate);
        var logger = provider.CreateLogger("Test");

        logger.LogWarning(new InvalidOperationException("no\n12:00:00 info Forged: x\u001b[31m"), "GET {Path} failed", "/a\n12:00:00 info Forged: y\r\u009b2J\u202e");

        var lines = output.ToString().Split('\n');
        Assert.Matches(head + "GET /a$", lines[0]);
        Assert.Equal(@"    12:00:00 info Forged: y\u000d\u009b2J\u202e failed", lines[1]);
        Assert.DoesNotContain(lines, line => line.StartsWith("12:00:00 info", StringComparison.Ordinal));
        Assert.DoesNotContain(output.ToString(), letter => char.IsControl(letter) && letter != '\n');
    }
    [Fact]
    public void Log_UndrainedBody_IsLeftOut()
    {
        using var output = new StringWriter();
        using var provider = new LineLoggerProvider(output, TimeProvider.System);
        var logger = provider.CreateLogger("Microsoft.AspNetCore.Server.Kestrel");

        logger.Log(LogLevel.Warning, new EventId(17, "RequestBodyDrainBodyReaderInvalidState"), "not drained", new InvalidOperationException("Reading is already in progress."), (text, _) => text);
        logger.Log(LogLevel.Warning, new EventId(17, "Other"), "another event", null, (text, _) => text);

        Assert.EndsWith("another event", Assert.Single(output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)).TrimEnd(), StringComparison.Ordinal);
    }
}
