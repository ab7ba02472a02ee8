using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Prometheus;
using Serve.Routing;

namespace Serve.Gateway.Requests;

/// <summary>Metrics of HTTP requests, with Ray Serve's names. The series of a label combination are looked up once.</summary>
internal sealed class HttpRequestMetrics
{
    private static readonly string[] Labels = ["route", "application", "method", "status_code"];

    private static readonly double[] LatencyBuckets =
        [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000, 120000, 300000, 600000];

    private static readonly Counter Requests = Prometheus.Metrics.CreateCounter(
        "serve_num_http_requests_total", "HTTP requests answered.", Labels);

    private static readonly Counter Errors = Prometheus.Metrics.CreateCounter(
        "serve_num_http_error_requests_total", "HTTP requests answered with a status of 400 or more.", Labels);

    private static readonly Counter DeploymentErrors = Prometheus.Metrics.CreateCounter(
        "serve_num_deployment_http_error_requests_total", "HTTP requests to a deployment answered with a status of 400 or more.",
        "route", "application", "deployment", "method", "status_code");

    private static readonly Histogram Latency = Prometheus.Metrics.CreateHistogram(
        "serve_http_request_latency_ms", "Milliseconds from a request's headers to the end of its response.",
        Labels, new HistogramConfiguration { Buckets = LatencyBuckets });

    private static readonly Gauge Ongoing = Prometheus.Metrics.CreateGauge(
        "serve_num_ongoing_http_requests", "HTTP requests being answered.");

    /// <summary>How long the series of an application without routes are kept.</summary>
    private static readonly TimeSpan Retention = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<(string Route, string Application, string Method, int Status), StatusCodeSeries> _series = new();
    private readonly RouteTable _routes;
    private readonly TimeProvider _time;
    private int _ongoing;

    public HttpRequestMetrics(RouteTable routes, TimeProvider time)
    {
        (_routes, _time) = (routes, time);
        Prometheus.Metrics.DefaultRegistry.AddBeforeCollectCallback(Copy);
    }

    /// <summary>Records the start of a request.</summary>
    public void Enter() => Interlocked.Increment(ref _ongoing);

    /// <summary>Records the end of a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="scope">Its application.</param>
    /// <param name="elapsed">Its duration.</param>
    public void Exit(HttpContext context, GatewayRequestScope scope, TimeSpan elapsed)
    {
        Interlocked.Decrement(ref _ongoing);
        var route = scope.Application?.Route.RoutePrefix ?? "";
        var key = (route, scope.Application?.Route.Application ?? "", KnownMethod(context.Request.Method), context.Response.StatusCode);
        if (!_series.TryGetValue(key, out var found))
            found = _series.GetOrAdd(key, static (key, scope) => new StatusCodeSeries(key, scope), scope);
        found.Observe(elapsed.TotalMilliseconds);
    }

    // A client may send any word as a method; each would be a permanent series.
    private static string KnownMethod(string method) =>
        method is "GET" or "POST" or "PUT" or "DELETE" or "PATCH" or "HEAD" or "OPTIONS" or "CONNECT" or "TRACE" ? method : "OTHER";

    private void Copy()
    {
        Ongoing.Set(Volatile.Read(ref _ongoing));
        var prefixes = _routes.Current.ByLongestPrefix.Select(entry => entry.Route.RoutePrefix).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, each) in _series)
        {
            each.Copy();
            if (each.IsExpired(key.Route.Length == 0 || prefixes.Contains(key.Route), _time) && _series.TryRemove(key, out _))
                each.Remove();
        }
    }

    private sealed class StatusCodeSeries
    {
        private readonly Counter.Child _requests;
        private readonly Histogram.Child _latency;
        private readonly Counter.Child? _errors;
        private readonly Counter.Child? _deploymentErrors;
        private readonly string[] _labels;
        private readonly string? _ingress;
        private long? _unroutedSince;
        private long _count;
        private long _copied;

        public StatusCodeSeries((string Route, string Application, string Method, int Status) key, GatewayRequestScope scope)
        {
            var status = key.Status.ToString(CultureInfo.InvariantCulture);
            _labels = [key.Route, key.Application, key.Method, status];
            _requests = Requests.WithLabels(_labels);
            _latency = Latency.WithLabels(_labels);
            if (key.Status < StatusCodes.Status400BadRequest)
                return;
            _errors = Errors.WithLabels(_labels);
            _ingress = scope.Application?.Route.Ingress;
            if (_ingress is not null)
                _deploymentErrors = DeploymentErrors.WithLabels(key.Route, key.Application, _ingress, key.Method, status);
        }

        public void Observe(double milliseconds)
        {
            _latency.Observe(milliseconds);
            Interlocked.Increment(ref _count);
        }

        /// <summary>Returns whether its route has not existed for the retention time. Called by the collection only.</summary>
        public bool IsExpired(bool isRouted, TimeProvider time)
        {
            _unroutedSince = isRouted ? null : _unroutedSince ?? time.GetTimestamp();
            return _unroutedSince is { } since && time.GetElapsedTime(since) >= Retention;
        }

        public void Remove()
        {
            Requests.RemoveLabelled(_labels);
            Latency.RemoveLabelled(_labels);
            Errors.RemoveLabelled(_labels);
            if (_ingress is not null)
                DeploymentErrors.RemoveLabelled(_labels[0], _labels[1], _ingress, _labels[2], _labels[3]);
        }

        // The counters are updated when they are collected: a request costs one increment instead of three.
        public void Copy()
        {
            lock (_requests)
            {
                var added = Interlocked.Read(ref _count) - _copied;
                _copied += added;
                _requests.Inc(added);
                _errors?.Inc(added);
                _deploymentErrors?.Inc(added);
            }
        }
    }
}
