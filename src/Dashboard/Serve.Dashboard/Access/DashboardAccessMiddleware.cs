using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Http;

namespace Serve.Dashboard.Access;

/// <summary>
/// Signs browsers in and out, and accepts their requests: a request with a valid cookie is passed on as one that presents the token, after the checks that <see cref="RequestGuard"/> applies
/// to requests without one. Changes require a header that forms cannot send, and are refused in read-only mode.
/// </summary>
/// <param name="next">The guarded API.</param>
/// <param name="options">Settings.</param>
/// <param name="sessions">Sessions.</param>
internal sealed class DashboardAccessMiddleware(RequestDelegate next, DashboardOptions options, DashboardSessionTokens sessions)
{
    /// <summary>Path of the session.</summary>
    public const string SessionPath = "/api/v1/session";

    private const string ReadOnlyReason = "read_only";
    private const int MaxSignInBytes = 4096;
    private static readonly string Version =
        typeof(DashboardAccessMiddleware).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    /// <summary>Handles a request.</summary>
    /// <param name="context">The request.</param>
    public Task InvokeAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.Path == SessionPath)
            return HandleSessionAsync(context);
        if (request.Headers.Authorization.Count > 0)
            return next(context);
        var hasSession = sessions.IsRequired && sessions.IsSession(request.Cookies[CookieName(request)]);
        // Without a token, callers that are no browsers are not restricted: they have no other way to identify themselves.
        if (!hasSession && (sessions.IsRequired || !IsBrowser(request)))
            return next(context);
        if (Refuse(request, hasSession) is { } refusal)
            return ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail);
        if (hasSession)
            request.Headers.Authorization = "Bearer " + options.Guard.Token;
        return next(context);
    }

    private RequestGuardRefusal? Refuse(HttpRequest request, bool hasSession)
    {
        if (RequestGuard.Check(request, options.Guard with { Token = null }) is { } foreign)
            return foreign;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return null;
        if (options.IsReadOnly)
            return new(StatusCodes.Status403Forbidden, ReadOnlyReason, "The dashboard of this node is read-only.");
        return hasSession ? CheckHeader(request) : null;
    }

    private static RequestGuardRefusal? CheckHeader(HttpRequest request) => request.Headers.ContainsKey(DashboardOptions.ChangeHeader) ? null
        : new(StatusCodes.Status403Forbidden, ErrorReason.Forbidden, $"A request of a browser that changes something requires the header {DashboardOptions.ChangeHeader}.");

    private static bool IsBrowser(HttpRequest request) => request.Headers.ContainsKey("Sec-Fetch-Site") || request.Headers.Origin.Count > 0;

    // Cookies are shared by all ports of a host.
    private static string CookieName(HttpRequest request) =>
        string.Create(CultureInfo.InvariantCulture, $"serve-session-{request.Host.Port ?? request.HttpContext.Connection.LocalPort}");

    private Task HandleSessionAsync(HttpContext context)
    {
        var request = context.Request;
        var refusal = RequestGuard.Check(request, options.Guard);
        if (refusal is { Status: not StatusCodes.Status401Unauthorized })
            return ProblemDetailsWriter.WriteAsync(context, refusal.Status, refusal.Reason, refusal.Detail);
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return context.Response.WriteAsJsonAsync(State(isAuthorized: refusal is null || sessions.IsSession(request.Cookies[CookieName(request)])), ServeJson.Options, context.RequestAborted);
        if (CheckHeader(request) is { } missing)
            return ProblemDetailsWriter.WriteAsync(context, missing.Status, missing.Reason, missing.Detail);
        if (HttpMethods.IsPost(request.Method))
            return SignInAsync(context);
        if (HttpMethods.IsDelete(request.Method))
        {
            context.Response.Cookies.Delete(CookieName(request), Cookie(maxAge: null));
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }

        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        return Task.CompletedTask;
    }

    private DashboardSessionState State(bool isAuthorized) => new()
    {
        SignedIn = isAuthorized,
        TokenRequired = sessions.IsRequired,
        ReadOnly = options.IsReadOnly,
        CanChange = isAuthorized && !options.IsReadOnly,
        Version = Version,
        NodeId = isAuthorized ? options.NodeId : "",
        Kind = options.Kind,
        GrafanaUrl = isAuthorized ? options.GrafanaUrl : null,
    };

    private async Task SignInAsync(HttpContext context)
    {
        if (sessions.IsThrottled)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status429TooManyRequests, ErrorReason.Unauthorized, "Too many attempts failed. Try again in a minute.");
            return;
        }

        if (await ReadAsync(context) is not { } signIn)
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status400BadRequest, ErrorReason.BadInput, "The body must be {\"token\": \"…\"} or {\"code\": \"…\"}.");
            return;
        }

        if (!sessions.TryAccept(signIn.Token, signIn.Code))
        {
            await ProblemDetailsWriter.WriteAsync(context, StatusCodes.Status401Unauthorized, ErrorReason.Unauthorized, signIn.Code is null
                ? "This is not the token of the node. 'serve start' prints the file that contains it."
                : "The link has expired or was used before. Run 'serve dashboard' for another.");
            return;
        }

        context.Response.Cookies.Append(CookieName(context.Request), sessions.CreateSession(), Cookie(DashboardSessionTokens.Lifetime));
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task<DashboardSignIn?> ReadAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = MaxSignInBytes;
        try
        {
            return await JsonSerializer.DeserializeAsync<DashboardSignIn>(context.Request.Body, ServeJson.Options, context.RequestAborted);
        }
        catch (Exception invalid) when (invalid is JsonException or BadHttpRequestException)
        {
            return null;
        }
    }

    private static CookieOptions Cookie(TimeSpan? maxAge) => new() { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/", IsEssential = true, MaxAge = maxAge };
}
