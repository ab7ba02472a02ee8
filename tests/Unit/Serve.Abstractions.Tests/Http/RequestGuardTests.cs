using Microsoft.AspNetCore.Http;
using Serve.Http;

namespace Serve.Abstractions.Tests.Http;

public sealed class RequestGuardTests
{
    private const string Token = "0123456789abcdef";
    private static readonly RequestGuardOptions WithToken = new() { Token = Token };

    [Theory]
    [InlineData("Host", "evil.example:8265")]
    [InlineData("Host", "evil.example")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public void Check_RightToken_AcceptedFromEverywhere(string header, string value)
    {
        Assert.Null(RequestGuard.Check(Request((header, value), ("Authorization", "Bearer " + Token)), WithToken));
        Assert.Equal(403, RequestGuard.Check(Request((header, value)), WithToken)!.Status);
    }

    [Theory]
    [InlineData("Bearer 0123456789abcdeg")]
    [InlineData("Bearer 0123456789abcde")]
    [InlineData("Bearer 0123456789abcdef0")]
    [InlineData("Bearer")]
    [InlineData("Basic 0123456789abcdef")]
    [InlineData("0123456789abcdef")]
    public void Check_WrongToken_Rejected(string presented)
    {
        var refusal = RequestGuard.Check(Request(("Authorization", presented)), WithToken);

        Assert.Equal(new(401, ErrorReason.Unauthorized, "The presented token is not that of this node."), refusal);
    }

    [Fact]
    public void Check_NoToken_RejectedIfOneIsConfigured()
    {
        Assert.Equal(401, RequestGuard.Check(Request(), WithToken)!.Status);
        Assert.Null(RequestGuard.Check(Request(), new()));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("LOCALHOST:8000")]
    [InlineData("app.localhost:8000")]
    [InlineData("127.0.0.1:8000")]
    [InlineData("127.8.9.10")]
    [InlineData("[::1]:8000")]
    [InlineData("10.1.2.3:8000")]
    [InlineData("app.example:8000")]
    [InlineData("APP.example")]
    [InlineData("a.b.example.com")]
    public void CheckHost_NameOfTheMachineOrAllowed_Accepted(string host) => Assert.Null(CheckHost(host, "app.example", "*.example.com"));

    [Fact]
    public void CheckHost_MachineName_Accepted()
    {
        Assert.Null(CheckHost(Environment.MachineName + ":8000"));
        Assert.Null(CheckHost(System.Net.Dns.GetHostName()));
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("evillocalhost")]
    [InlineData("example.com")]
    [InlineData("evilexample.com")]
    [InlineData("app.example.evil")]
    public void CheckHost_ForeignName_Rejected(string host) => Assert.Equal(
        new(403, ErrorReason.Forbidden, $"Host '{host}' is not accepted here. Use 127.0.0.1, or start the node with --allowed-host {host}."), CheckHost(host, "app.example", "*.example.com"));

    [Fact]
    public void CheckHost_Star_AcceptsAll() => Assert.Null(CheckHost("evil.example", "*"));

    [Fact]
    public void Check_RightToken_DoesNotAllocate()
    {
        var request = Request(("Authorization", "bearer " + Token));
        for (var i = 0; i < 100; i++)
            RequestGuard.Check(request, WithToken);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            RequestGuard.Check(request, WithToken);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static RequestGuardRefusal? CheckHost(string host, params string[] allowed) => RequestGuard.CheckHost(Request(("Host", host)), new() { AllowedHosts = allowed });

    private static HttpRequest Request(params (string Name, string Value)[] headers)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers.Host = "127.0.0.1:8265";
        foreach (var (name, value) in headers)
            request.Headers[name] = value;
        return request;
    }
}
