using Microsoft.AspNetCore.Http;
using Serve.Http;

namespace Serve.Abstractions.Tests.Http;

public sealed class RequestGuardTests
{
    private const string Token = "0123456789abcdef";
    private static readonly RequestGuardOptions WithToken = new() { Token = Token };

    [Theory]
    [InlineData("Host", "10.1.2.3:8265")]
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

    private static HttpRequest Request(params (string Name, string Value)[] headers)
    {
        var request = new DefaultHttpContext().Request;
        request.Headers.Host = "127.0.0.1:8265";
        foreach (var (name, value) in headers)
            request.Headers[name] = value;
        return request;
    }
}
